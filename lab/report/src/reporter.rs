//! What every live output has in common.

use std::io;

use lab_model::event::Event;

/// Takes a run's events one by one, as they happen or from a record.
pub trait Reporter {
    /// Takes one event.
    ///
    /// # Errors
    /// Fails where its output cannot be written. A run goes on without it.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Ends the output.
    ///
    /// # Errors
    /// Fails where its output cannot be written.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
