//! Character devices as the command line writes them: `-chardev BACKEND,KEY=VALUE,…`.

use qapi::{Dict, Value};

use super::config::{Address, Config, Inet, Kind, LogFile, Socket};
use super::error::Error;

/// What `-chardev` asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromOptions {
    /// The back end.
    pub config: Config,
    /// `mux=on`: the back end is to be called `ID-base`, and a multiplexer over it `ID`.
    pub mux: bool,
}

impl Config {
    /// Reads the parameters of `-chardev`. `options` holds strings (or booleans, where the option
    /// parser knew the short form); `backend` is required, `id` is ignored.
    ///
    /// # Errors
    /// An unknown, missing or malformed parameter, in QEMU's words.
    pub fn from_options(options: &Dict) -> Result<FromOptions, Error> {
        let mut fields = Fields { options, used: vec!["id", "backend"] };
        let Some(backend) = fields.text("backend")? else {
            let id = fields.text("id")?.unwrap_or_default();
            return Err(Error::option(format!("chardev: \"{id}\" missing backend")));
        };
        let kind = fields.kind(&backend)?;
        let mux = fields.flag("mux")?.unwrap_or(false);
        let append = fields.flag("logappend")?.unwrap_or(false);
        let log = fields.text("logfile")?.map(|path| LogFile { path, append });
        fields.finish()?;
        Ok(FromOptions { config: Config { kind, log }, mux })
    }
}

/// The options, and which of them were looked at.
struct Fields<'a> {
    options: &'a Dict,
    used: Vec<&'static str>,
}

impl Fields<'_> {
    fn kind(&mut self, backend: &str) -> Result<Kind, Error> {
        Ok(match backend {
            "null" => Kind::Null,
            "pty" => Kind::Pty,
            "stdio" => Kind::Stdio { signal: self.flag("signal")?.unwrap_or(true), input: true },
            "file" => Kind::File {
                out: self.required("file", "path", "filename")?,
                input: self.text("input-path")?,
                append: self.flag("append")?.unwrap_or(false),
            },
            "pipe" => Kind::Pipe { path: self.required("pipe", "path", "device path")? },
            "ringbuf" | "memory" => Kind::ringbuf(self.size("size")?, backend == "memory")?,
            "mux" => Kind::Mux { base: self.required("mux", "chardev", "chardev")? },
            "socket" => Kind::Socket(self.socket()?),
            other => {
                return Err(Error::option(format!("'{other}' is not a valid char driver name")));
            }
        })
    }

    fn socket(&mut self) -> Result<Socket, Error> {
        for unsupported in ["telnet", "tn3270", "websocket"] {
            if self.flag(unsupported)? == Some(true) {
                return Err(Error::option(format!("Parameter '{unsupported}' is not supported")));
            }
        }
        let (path, host, fd) = (self.text("path")?, self.text("host")?, self.text("fd")?);
        if [&path, &host, &fd].iter().filter(|o| o.is_some()).count() > 1 {
            return Err(Error::option("None or one of 'path', 'fd' or 'host' option required."));
        }
        let address = match (path, host, fd) {
            (Some(path), None, None) => Address::Unix {
                path,
                is_abstract: self.flag("abstract")?.unwrap_or(false),
                tight: self.flag("tight")?.unwrap_or(true),
            },
            (None, Some(host), None) => self.inet(host)?,
            (None, None, fd) => Address::Fd(fd.unwrap_or_default()),
            _ => unreachable!("at most one is given"),
        };
        let delay = self.flag("delay")?.map(|delay| !delay);
        let nodelay = self.flag("nodelay")?.or(delay).unwrap_or(false);
        let server = self.flag("server")?.unwrap_or(false);
        let reconnect = self.integer("reconnect")?;
        let role = Socket::role(server, self.flag("wait")?, true, reconnect)?;
        Ok(Socket { address, role, nodelay })
    }

    fn inet(&mut self, host: String) -> Result<Address, Error> {
        Ok(Address::Inet(Inet {
            host,
            port: self.required("socket", "port", "port")?,
            to: match self.integer("to")? {
                None => None,
                Some(to) => Some(u16::try_from(to).map_err(|_| expects("to", "a port number"))?),
            },
            ipv4: self.flag("ipv4")?,
            ipv6: self.flag("ipv6")?,
            keep_alive: false,
        }))
    }

    /// The value of `key`. Remembers that the key has a meaning here.
    fn value(&mut self, key: &'static str) -> Option<&Value> {
        self.used.push(key);
        self.options.get(key)
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(expects(key, "a string")),
        }
    }

    fn required(&mut self, backend: &str, key: &'static str, what: &str) -> Result<String, Error> {
        match self.text(key)? {
            Some(text) if !text.is_empty() || backend == "pipe" => Ok(text),
            _ => Err(Error::option(format!("chardev: {backend}: no {what} given"))),
        }
    }

    fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) => match text.as_str() {
                "on" | "yes" | "true" | "y" => Ok(Some(true)),
                "off" | "no" | "false" | "n" => Ok(Some(false)),
                _ => Err(expects(key, "'on' or 'off'")),
            },
            Some(_) => Err(expects(key, "'on' or 'off'")),
        }
    }

    fn integer(&mut self, key: &'static str) -> Result<Option<i64>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(Value::String(text)) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(expects(key, "a number")),
            },
            Some(_) => Err(expects(key, "a number")),
        }
    }

    /// A number of bytes with an optional suffix.
    fn size(&mut self, key: &'static str) -> Result<Option<u64>, Error> {
        let text = match self.value(key) {
            None => return Ok(None),
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => String::new(),
        };
        let wrong = || {
            Error::option(format!(
                "Parameter '{key}' expects a non-negative number below 2^64\nOptional suffix k, M, \
                 G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively."
            ))
        };
        let digits = text.trim_end_matches(|c: char| "bBkKmMgGtTpPeE".contains(c));
        let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
            "" | "B" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            "P" => 50,
            "E" => 60,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        match number.checked_mul(1 << shift) {
            Some(size) => Ok(Some(size)),
            None => {
                Err(Error::option(format!("Value '{text}' is out of range for parameter '{key}'")))
            }
        }
    }

    /// Every option must have been looked at.
    fn finish(self) -> Result<(), Error> {
        match self.options.keys().find(|key| !self.used.contains(key)) {
            None => Ok(()),
            Some(key) => Err(Error::option(format!("Invalid parameter '{key}'"))),
        }
    }
}

fn expects(key: &str, what: &str) -> Error {
    Error::option(format!("Parameter '{key}' expects {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<FromOptions, String> {
        let mut dict = Dict::new();
        for (key, value) in options {
            dict.insert(*key, *value);
        }
        Config::from_options(&dict).map_err(|e| e.to_string())
    }

    fn refused(options: &[(&str, &str)]) -> String {
        read(options).expect_err("accepted")
    }

    #[test]
    fn reads_every_backend() {
        let kind = |options: &[(&str, &str)]| read(options).unwrap().config.kind;
        assert_eq!(kind(&[("backend", "null"), ("id", "x")]), Kind::Null);
        assert_eq!(
            kind(&[("backend", "stdio"), ("signal", "off")]),
            Kind::Stdio { signal: false, input: true }
        );
        assert_eq!(
            kind(&[("backend", "file"), ("path", "/f"), ("append", "on"), ("input-path", "/i")]),
            Kind::File { out: "/f".into(), input: Some("/i".into()), append: true }
        );
        assert_eq!(
            kind(&[("backend", "memory"), ("size", "4k")]),
            Kind::Ringbuf { size: 4096, memory: true }
        );
        assert_eq!(
            kind(&[("backend", "socket"), ("path", "/s"), ("server", "on"), ("wait", "off")]),
            Kind::Socket(Socket {
                address: Address::Unix { path: "/s".into(), is_abstract: false, tight: true },
                role: super::super::config::Role::Server { wait: false },
                nodelay: false,
            })
        );
        let muxed = read(&[("backend", "pty"), ("mux", "on"), ("logfile", "/l")]).unwrap();
        assert!(muxed.mux);
        assert_eq!(muxed.config.log.unwrap().path, "/l");
    }

    #[test]
    fn refuses_in_known_words() {
        for (options, message) in [
            (&[("backend", "zzz")][..], "'zzz' is not a valid char driver name"),
            (&[("id", "a")], "chardev: \"a\" missing backend"),
            (&[("backend", "null"), ("foo", "1")], "Invalid parameter 'foo'"),
            (&[("backend", "null"), ("path", "/x")], "Invalid parameter 'path'"),
            (&[("backend", "file")], "chardev: file: no filename given"),
            (&[("backend", "pipe")], "chardev: pipe: no device path given"),
            (&[("backend", "mux")], "chardev: mux: no chardev given"),
            (&[("backend", "socket"), ("host", "h")], "chardev: socket: no port given"),
            (
                &[("backend", "socket"), ("host", "h"), ("path", "p")],
                "None or one of 'path', 'fd' or 'host' option required.",
            ),
            (
                &[("backend", "socket"), ("path", "p"), ("server", "maybe")],
                "Parameter 'server' expects 'on' or 'off'",
            ),
            (
                &[("backend", "socket"), ("path", "p"), ("reconnect", "x")],
                "Parameter 'reconnect' expects a number",
            ),
            (
                &[("backend", "socket"), ("path", "p"), ("wait", "on")],
                "'wait' option is incompatible with socket in client connect mode",
            ),
            (
                &[("backend", "socket"), ("path", "p"), ("server", "on"), ("reconnect", "1")],
                "'reconnect' option is incompatible with socket in server listen mode",
            ),
            (
                &[("backend", "ringbuf"), ("size", "3")],
                "size of ringbuf chardev must be power of two",
            ),
            (
                &[("backend", "ringbuf"), ("size", "16E")],
                "Value '16E' is out of range for parameter 'size'",
            ),
        ] {
            assert_eq!(refused(options), message);
        }
        assert!(refused(&[("backend", "ringbuf"), ("size", "-1")]).starts_with("Parameter 'size'"));
        assert!(refused(&[("backend", "ringbuf"), ("size", "é")]).starts_with("Parameter 'size'"));
        assert!(refused(&[("backend", "ringbuf"), ("size", "2G")]).contains("1 GiB"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".*", key in "size|to|reconnect|server|path|host|fd|port") {
            for backend in ["socket", "ringbuf", "file"] {
                let _ = read(&[("backend", backend), (&key, &text)]);
            }
        }
    }
}
