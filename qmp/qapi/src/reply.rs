//! Replies that travel with the work: the right, and the duty, to answer one command exactly once.

use crate::{Encode, Error, Value};
use std::fmt;
use std::marker::PhantomData;

/// What a reply does with its result.
type Deliver = Box<dyn FnOnce(Result<Value, Error>) + Send>;

/// The answer to one command, not yet given. It may move to any thread; one that is dropped unsent answers with an
/// error, so that no client waits for ever.
pub struct RawReply(Option<Deliver>);

impl RawReply {
    /// A reply that hands its result to `deliver`, called exactly once and on the thread that answers or drops it.
    pub fn new(deliver: impl FnOnce(Result<Value, Error>) + Send + 'static) -> RawReply {
        RawReply(Some(Box::new(deliver)))
    }

    /// Answers the command.
    pub fn send(mut self, result: Result<Value, Error>) {
        if let Some(deliver) = self.0.take() {
            deliver(result);
        }
    }
}

impl Drop for RawReply {
    fn drop(&mut self) {
        if let Some(deliver) = self.0.take() {
            deliver(Err(Error::generic("The command was abandoned")));
        }
    }
}

impl fmt::Debug for RawReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawReply").finish_non_exhaustive()
    }
}

/// A reply of a command that returns a `T`; see [`RawReply`].
#[derive(Debug)]
pub struct Reply<T> {
    raw: RawReply,
    // The type is only consumed, so the reply is Send whatever `T` is.
    returns: PhantomData<fn(T)>,
}

impl<T: Encode> Reply<T> {
    /// Gives a reply the type that its command returns.
    pub fn new(raw: RawReply) -> Reply<T> {
        Reply { raw, returns: PhantomData }
    }

    /// Answers the command.
    pub fn send(self, result: Result<T, Error>) {
        self.raw.send(result.map(T::encode));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn an_unsent_reply_answers_with_an_error() {
        let (sender, answers) = mpsc::channel();
        let reply: Reply<()> = Reply::new(RawReply::new(move |result| {
            sender.send(result).unwrap();
        }));
        std::thread::spawn(move || drop(reply)).join().unwrap();
        let error = answers.recv().unwrap().unwrap_err();
        assert_eq!(error, Error::generic("The command was abandoned"));
        assert!(answers.recv().is_err(), "answered twice");
    }

    #[test]
    fn a_sent_reply_answers_once() {
        let (sender, answers) = mpsc::channel();
        let reply = RawReply::new(move |result| sender.send(result).unwrap());
        Reply::<String>::new(reply).send(Ok("done".into()));
        assert_eq!(answers.recv(), Ok(Ok(Value::from("done"))));
        assert!(answers.recv().is_err(), "answered twice");
    }
}
