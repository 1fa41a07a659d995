//! What keys do.

use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Press {
    /// Pause, or go on.
    Pause,
    /// Stop in order.
    Stop,
    /// Ctrl-C, which the screen gets as a key: the first stops in order, the second at once.
    Interrupt,
}

/// The line that tells of them.
pub(super) const HELP: [(&str, &str); 2] = [
    ("p", "pause or go on"),
    ("q", "stop; the run can be resumed"),
];

impl Press {
    /// What an event asks for, if anything.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let Event::Key(key) = event else {
            return None;
        };
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => Some(Self::Interrupt),
            _ if control => None,
            KeyCode::Char('p' | 'P' | ' ') => Some(Self::Pause),
            KeyCode::Char('q' | 'Q' | 's' | 'S') | KeyCode::Esc => Some(Self::Stop),
            _ => None,
        }
    }
}
