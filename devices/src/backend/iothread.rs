//! `iothread`: an event loop on a thread of its own, for the devices that name it.
//!
//! The thread lives as long as the object, and speaks to others only by its loop's messages.

use std::sync::mpsc;

use crate::error::{Error, Result};
use crate::event_loop::{EventLoop, LoopHandle, LoopThread};
use crate::object::{Class, Object, PlugContext};

pub(super) static BASE: Class = Class::base("event-loop-base", "object");

pub(super) static CLASS: Class = Class {
    description: "a thread for the I/O of devices",
    make: Some(|_| Box::<IoThread>::default()),
    user_creatable: true,
    ..Class::base("iothread", "event-loop-base")
};

/// The object.
#[derive(Default)]
pub struct IoThread {
    running: Option<Running>,
}

struct Running {
    thread: LoopThread,
    id: i64,
}

impl IoThread {
    /// Its event loop.
    pub fn handle(&self) -> LoopHandle {
        self.running().thread.handle()
    }

    /// The host's number of the thread, as in `query-iothreads`.
    pub fn thread_id(&self) -> i64 {
        self.running().id
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("objects in the tree are realized")
    }
}

impl Object for IoThread {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let id = context.path.rsplit('/').next().unwrap_or_default();
        let failed =
            |error: std::io::Error| Error::io(format!("cannot start iothread '{id}'"), error);
        let thread = EventLoop::spawn(&format!("IO {id}")).map_err(failed)?;
        let (answer, asked) = mpsc::channel();
        thread.handle().post(move || {
            let id = rustix::thread::gettid().as_raw_nonzero().get();
            // The asker waits just below.
            let _ = answer.send(i64::from(id));
        });
        let id = asked.recv().map_err(|_| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        self.running = Some(Running { thread, id });
        Ok(())
    }
}
