//! `-action`: what happens when the guest resets, switches itself off, or panics.

use super::error::{Error, Location};
use super::groups::ACTION;
use super::keyval::Pairs;
use super::parser::{Parser, not_accepted};
use super::types::{PanicAction, RebootAction, ShutdownAction};

pub(super) fn action(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = ACTION.read(&pairs, location, &mut parser.options.warnings)?;
    let actions = &mut parser.options.actions;
    for (key, value) in dict.iter() {
        let value = value.as_str().unwrap_or_default();
        match (key, value) {
            ("reboot", "reset") => actions.reboot = RebootAction::Reset,
            ("reboot", "shutdown") => actions.reboot = RebootAction::Shutdown,
            ("shutdown", "poweroff") => actions.shutdown = ShutdownAction::Poweroff,
            ("shutdown", "pause") => actions.shutdown = ShutdownAction::Pause,
            ("panic", "pause") => actions.panic = PanicAction::Pause,
            ("panic", "shutdown") => actions.panic = PanicAction::Shutdown,
            ("panic", "exit-failure") => actions.panic = PanicAction::ExitFailure,
            ("panic", "none") => actions.panic = PanicAction::None,
            _ => return Err(not_accepted(location, key, value)),
        }
    }
    Ok(())
}
