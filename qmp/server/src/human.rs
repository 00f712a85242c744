//! The session of a human monitor: banner, prompt, line editing, one line at a time.

use crate::channel::Up;
use crate::connection::Context;
use crate::editor::Editor;
use crate::output::Output;
use crate::service::{HumanReply, SessionId};
use qapi::Value;
use std::sync::Arc;

/// One user of a human monitor.
#[derive(Debug)]
pub(crate) struct Human {
    session: SessionId,
    editor: Editor,
    /// A line is unanswered; what is typed meanwhile stays unread.
    running: bool,
}

impl Human {
    /// A session at its start; prints the banner and the first prompt.
    pub(crate) fn new(session: SessionId, ctx: &Context, out: &mut Output) -> Human {
        let version = version(&ctx.service.greeting());
        let banner = format!("QEMU {version} monitor - type 'help' for more information\r\n");
        out.end().extend_from_slice(banner.as_bytes());
        let mut human = Human { session, editor: Editor::new(), running: false };
        human.editor.prompt(out.end());
        human
    }

    pub(crate) fn is_idle(&self) -> bool {
        !self.running
    }

    /// Reads keys from the front of `input` while nothing runs.
    pub(crate) fn pump(&mut self, input: &mut &[u8], ctx: &Context, out: &mut Output) {
        while !self.running
            && out.backlog() < ctx.limits.pause
            && let Some((&key, rest)) = input.split_first()
        {
            *input = rest;
            let Some(line) = self.editor.key(key, out.end()) else {
                continue;
            };
            if line.trim().is_empty() {
                self.editor.prompt(out.end());
                continue;
            }
            self.running = true;
            let channel = Arc::clone(&ctx.channel);
            let session = self.session;
            let reply = HumanReply::new(move |text| channel.push(Up::Text(session, text)));
            ctx.service.human(session, &line, reply);
        }
        self.editor.refresh(out.end());
    }

    /// The screen showed something else meanwhile: unless there is text to come, a prompt.
    pub(crate) fn shown(&mut self, out: &mut Output) {
        if !self.running && out.is_empty() {
            self.editor.prompt(out.end());
            self.editor.refresh(out.end());
        }
    }

    /// A line was answered.
    pub(crate) fn answer(&mut self, text: &str, out: &mut Output) {
        self.running = false;
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                out.end().extend_from_slice(b"\r\n");
            }
            out.end().extend_from_slice(line.as_bytes());
        }
        self.editor.prompt(out.end());
    }
}

/// `MAJOR.MINOR.MICRO` of the greeting's version object.
fn version(greeting: &Value) -> String {
    let number =
        |part| greeting.get("qemu").and_then(|qemu| qemu.get(part)).and_then(Value::as_u64);
    let parts =
        ["major", "minor", "micro"].map(|part| number(part).unwrap_or_default().to_string());
    parts.join(".")
}
