//! Handlers of `misc.json`.

use std::os::fd::{AsRawFd, OwnedFd};

use devices::backend::IoThread;
use qapi::handlers::Misc;
use qapi::{
    AddClientArgs, AddFdArgs, AddfdInfo, ClosefdArgs, CommandLineOptionInfo,
    CommandLineParameterInfo, CommandLineParameterType, Empty, Error, FdsetFdInfo, FdsetInfo,
    GetfdArgs, HumanMonitorCommandArgs, IOThreadInfo, NameInfo, QueryCommandLineOptionsArgs,
    RemoveFdArgs, Reply,
};

use super::{Monitor, hmp};
use crate::fd_sets::Member;
use crate::machine::Outcome;
use crate::options::{CommandLineOption, Parameter, ParameterKind, command_line_options};
use crate::run_state::RunState;
use crate::startup;

impl Misc for Monitor<'_> {
    fn add_client(&mut self, args: AddClientArgs) -> Result<Empty, Error> {
        let client = self.take_fd(&args.fdname)?;
        let inactive = |what: &str| Error::device_not_active(format!("{what} is not in use"));
        match args.protocol.as_str() {
            "vnc" => Err(inactive("VNC")),
            "spice" => Err(inactive("SPICE")),
            "@dbus-display" => Err(inactive("D-Bus display")),
            label => match self.control.machine.tree.chardev(label) {
                Ok(chardev) => Ok(chardev.add_client(client)?),
                Err(_) => Err(Error::generic(format!("protocol '{label}' is invalid"))),
            },
        }
    }

    fn query_name(&mut self) -> Result<NameInfo, Error> {
        Ok(NameInfo { name: self.control.options.name.guest.clone() })
    }

    fn query_iothreads(&mut self) -> Result<Vec<IOThreadInfo>, Error> {
        let info = |(path, thread): (String, &IoThread)| IOThreadInfo {
            id: path.rsplit('/').next().unwrap_or_default().into(),
            thread_id: thread.thread_id(),
            // Its loop never polls: it sleeps until something happens.
            poll_max_ns: 0,
            poll_grow: 0,
            poll_shrink: 0,
            aio_max_batch: 0,
        };
        let threads = self.control.machine.tree.objects::<IoThread>();
        Ok(threads.into_iter().map(info).collect())
    }

    fn stop(&mut self) -> Result<Empty, Error> {
        self.control.machine.stop(RunState::Paused);
        Ok(())
    }

    fn cont(&mut self) -> Result<Empty, Error> {
        self.control.machine.start()
    }

    fn x_exit_preconfig(&mut self) -> Result<Empty, Error> {
        if self.control.machine.run_state != RunState::Preconfig {
            let text = "The command is permitted only before machine initialization";
            return Err(Error::generic(text));
        }
        let control = &mut *self.control;
        if let Err(error) = control.machine.build(&control.options, &control.environment) {
            let text = error.to_string();
            crate::logging::report(&startup::Error::from(error).to_string());
            control.finish(Outcome::Exit(1));
            return Err(Error::generic(text));
        }
        if control.options.start_paused { Ok(()) } else { control.machine.start() }
    }

    fn human_monitor_command(&mut self, args: HumanMonitorCommandArgs, reply: Reply<String>) {
        // Each of these commands has a monitor of its own, which begins with the first CPU.
        let cpu = args.cpu_index.map_or(Ok(0), |index| self.cpu_number("cpu-index", index));
        let cpu = match cpu {
            Ok(cpu) => cpu,
            Err(error) => return reply.send(Err(error)),
        };
        let chosen = std::mem::replace(&mut self.own().cpu, cpu);
        hmp::execute(
            self,
            &args.command_line,
            Box::new(move |text| reply.send(Ok(hmp::to_wire(&text)))),
        );
        self.own().cpu = chosen;
    }

    fn getfd(&mut self, args: GetfdArgs) -> Result<Empty, Error> {
        let fd = self.received_fd()?;
        if args.fdname.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(Error::expects("fdname", "a name not starting with a digit"));
        }
        self.own().fds.insert(args.fdname, fd);
        Ok(())
    }

    fn closefd(&mut self, args: ClosefdArgs) -> Result<Empty, Error> {
        match self.own().fds.remove(&args.fdname) {
            Some(_closed) => Ok(()),
            None => Err(no_fd(&args.fdname)),
        }
    }

    fn add_fd(&mut self, args: AddFdArgs) -> Result<AddfdInfo, Error> {
        let fd = self.received_fd()?;
        let set = args.fdset_id.map(u64::try_from).transpose();
        let set = set.map_err(|_| Error::expects("fdset-id", "a non-negative value"))?;
        let (set, fd) = self.control.fd_sets.add(set, Member { fd, opaque: args.opaque });
        Ok(AddfdInfo { fdset_id: set as i64, fd: fd.into() })
    }

    fn remove_fd(&mut self, args: RemoveFdArgs) -> Result<Empty, Error> {
        let set = u64::try_from(args.fdset_id).ok();
        let fd = args.fd.map(i32::try_from).transpose().ok();
        let removed = set.zip(fd).is_some_and(|(set, fd)| self.control.fd_sets.remove(set, fd));
        match (removed, args.fd) {
            (true, _) => Ok(()),
            (false, None) => Err(no_fd(&format!("fdset-id:{}", args.fdset_id))),
            (false, Some(fd)) => Err(no_fd(&format!("fdset-id:{}, fd:{fd}", args.fdset_id))),
        }
    }

    fn query_fdsets(&mut self) -> Result<Vec<FdsetInfo>, Error> {
        let info = |member: &Member| FdsetFdInfo {
            fd: member.fd.as_raw_fd().into(),
            opaque: member.opaque.clone(),
        };
        let mut sets = Vec::new();
        self.control.fd_sets.for_each(|set, members| {
            let fds = members.iter().map(info).collect();
            sets.push(FdsetInfo { fdset_id: set as i64, fds });
        });
        Ok(sets)
    }

    fn query_command_line_options(
        &mut self,
        args: QueryCommandLineOptionsArgs,
    ) -> Result<Vec<CommandLineOptionInfo>, Error> {
        let all = command_line_options().into_iter();
        let Some(name) = args.option else { return Ok(all.map(Into::into).collect()) };
        let found: Vec<_> = all.filter(|one| one.option == name).map(Into::into).collect();
        if found.is_empty() {
            return Err(Error::generic(format!("invalid option name: {name}")));
        }
        Ok(found)
    }
}

impl Monitor<'_> {
    /// The descriptor that came with the command. Further ones are closed.
    fn received_fd(&mut self) -> Result<OwnedFd, Error> {
        let first = std::mem::take(&mut self.fds).into_iter().next();
        first.ok_or_else(|| Error::generic("No file descriptor supplied via SCM_RIGHTS"))
    }

    /// Takes the descriptor that the client named by `getfd`.
    pub(super) fn take_fd(&mut self, name: &str) -> Result<OwnedFd, Error> {
        self.own().fds.remove(name).ok_or_else(|| {
            Error::generic(format!("File descriptor named '{name}' has not been found"))
        })
    }
}

fn no_fd(name: &str) -> Error {
    Error::generic(format!("File descriptor named '{name}' not found"))
}

impl From<CommandLineOption> for CommandLineOptionInfo {
    fn from(option: CommandLineOption) -> Self {
        let parameters = option.parameters.iter().map(Into::into).collect();
        Self { option: option.option.into(), parameters }
    }
}

impl From<&Parameter> for CommandLineParameterInfo {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.into(),
            r#type: match parameter.kind {
                ParameterKind::String => CommandLineParameterType::String,
                ParameterKind::Boolean => CommandLineParameterType::Boolean,
                ParameterKind::Number => CommandLineParameterType::Number,
                ParameterKind::Size => CommandLineParameterType::Size,
            },
            help: parameter.help.map(Into::into),
            default: parameter.default.map(Into::into),
        }
    }
}
