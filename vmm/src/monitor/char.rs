//! Handlers of `char.json`.

use std::sync::Arc;

use devices::chardev::{Chardev, Config};
use qapi::handlers::Char;
use qapi::{
    ChardevAddArgs, ChardevBackend, ChardevBackendInfo, ChardevBackendKind, ChardevChangeArgs,
    ChardevInfo, ChardevRemoveArgs, ChardevReturn, ChardevSendBreakArgs, DataFormat, Empty, Error,
    Reply, RingbufReadArgs, RingbufWriteArgs,
};

use super::Monitor;
use crate::base64;
use crate::chardevs::{self, Opener};
use crate::control::Control;

impl Char for Monitor<'_> {
    fn query_chardev(&mut self) -> Result<Vec<ChardevInfo>, Error> {
        let info = |chardev: &Arc<Chardev>| ChardevInfo {
            label: chardev.label().into(),
            filename: chardev.filename(),
            frontend_open: chardev.frontend_open(),
        };
        Ok(self.control.machine.tree.chardevs().map(info).collect())
    }

    fn query_chardev_backends(&mut self) -> Result<Vec<ChardevBackendInfo>, Error> {
        let info = |kind: &ChardevBackendKind| ChardevBackendInfo { name: kind.as_str().into() };
        Ok(ChardevBackendKind::ALL.iter().map(info).collect())
    }

    fn ringbuf_write(&mut self, args: RingbufWriteArgs) -> Result<Empty, Error> {
        let ring = self.ring(&args.device)?;
        let bytes = match args.format.unwrap_or(DataFormat::Utf8) {
            DataFormat::Utf8 => args.data.into_bytes(),
            DataFormat::Base64 => base64::decode(&args.data)?,
        };
        Ok(ring.ringbuf_write(&bytes)?)
    }

    fn ringbuf_read(&mut self, args: RingbufReadArgs) -> Result<String, Error> {
        let ring = self.ring(&args.device)?;
        let count = usize::try_from(args.size).unwrap_or(0);
        if count == 0 {
            return Err(Error::generic("size must be greater than zero"));
        }
        let bytes = ring.ringbuf_read(count)?;
        Ok(match args.format.unwrap_or(DataFormat::Utf8) {
            DataFormat::Utf8 => String::from_utf8_lossy(&bytes).into_owned(),
            DataFormat::Base64 => base64::encode(&bytes),
        })
    }

    fn chardev_add(&mut self, args: ChardevAddArgs, reply: Reply<ChardevReturn>) {
        let ChardevAddArgs { id, backend } = args;
        let (config, opener) = match self.prepare_new(&id, backend) {
            Ok(prepared) => prepared,
            Err(error) => return reply.send(Err(error)),
        };
        self.control.worker(reply, move |reply| {
            let opened = opener.open(&id, &config).map_err(|error| not_added(&id, &error));
            move |control: &mut Control| {
                reply.send(opened.and_then(|chardev| {
                    let pty = chardev.pty_path();
                    chardevs::add(&mut control.machine.tree, &config, chardev)?;
                    Ok(ChardevReturn { pty })
                }));
            }
        });
    }

    fn chardev_change(&mut self, args: ChardevChangeArgs, reply: Reply<ChardevReturn>) {
        let (chardev, config, opener) = match self.prepare_change(args) {
            Ok(prepared) => prepared,
            Err(error) => return reply.send(Err(error)),
        };
        self.control.worker(reply, move |reply| {
            let replaced = opener.replace(&chardev, &config);
            move |control: &mut Control| {
                reply.send(replaced.map_err(Into::into).map(|()| {
                    chardevs::reclassify(&mut control.machine.tree, &config, &chardev);
                    ChardevReturn { pty: chardev.pty_path() }
                }));
            }
        });
    }

    fn chardev_remove(&mut self, args: ChardevRemoveArgs) -> Result<Empty, Error> {
        Ok(chardevs::remove(&mut self.control.machine.tree, &args.id)?)
    }

    fn chardev_send_break(&mut self, args: ChardevSendBreakArgs) -> Result<Empty, Error> {
        self.control.machine.tree.chardev(&args.id)?.send_break();
        Ok(())
    }
}

impl Monitor<'_> {
    fn ring(&self, name: &str) -> Result<&Arc<Chardev>, Error> {
        let found = self.control.machine.tree.chardev(name);
        found.map_err(|_| Error::generic(format!("Device '{name}' not found")))
    }

    /// What a new character device is made of and by.
    fn prepare_new(
        &mut self,
        id: &str,
        backend: ChardevBackend,
    ) -> Result<(Config, Opener), Error> {
        chardevs::check_new(&self.control.machine.tree, id)?;
        let config = Config::try_from(backend).map_err(|error| not_added(id, &error))?;
        let opener = self.opener(&config).map_err(|error| not_added(id, &error))?;
        Ok((config, opener))
    }

    /// The same for one that changes, and that one.
    fn prepare_change(
        &mut self,
        args: ChardevChangeArgs,
    ) -> Result<(Arc<Chardev>, Config, Opener), Error> {
        let ChardevChangeArgs { id, backend } = args;
        let chardev = self.control.machine.tree.chardev(&id).cloned();
        let chardev =
            chardev.map_err(|_| Error::generic(format!("Chardev '{id}' does not exist")))?;
        let config = Config::try_from(backend)?;
        let opener = self.opener(&config)?;
        Ok((chardev, config, opener))
    }

    /// What opens `config` for this client: with the descriptor that it named by `getfd`, which is
    /// no longer the client's then, and with the device that a multiplexer shares.
    fn opener(&mut self, config: &Config) -> Result<Opener, Error> {
        let opener = self.control.opener.clone();
        let opener = match chardevs::named_fd(config) {
            None => opener,
            Some(name) => opener.with_fd(name.into(), self.take_fd(name)?),
        };
        Ok(opener.over(config, &self.control.machine.tree))
    }
}

fn not_added(id: &str, error: &dyn std::fmt::Display) -> Error {
    Error::generic(format!("Failed to add chardev '{id}': {error}"))
}
