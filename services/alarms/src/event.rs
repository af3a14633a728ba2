//! What a change tells.

use chrono::{DateTime, Utc};

use crate::state::State;
use crate::suppression::SuppressedBy;

/// Something that happened to an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It went from one state to another.
    StateChanged {
        /// Name of the alarm.
        alarm: String,
        /// The tick.
        at: DateTime<Utc>,
        /// The state it left.
        from: State,
        /// The state it is in now.
        to: State,
        /// Why, for people.
        reason: String,
        /// What it set off.
        actions: Actions,
    },
    /// Actions that were held back are taken now, for the present state.
    ActionsResumed {
        /// Name of the composite alarm.
        alarm: String,
        /// The tick.
        at: DateTime<Utc>,
        /// The state whose actions are taken.
        state: State,
        /// Why it is in that state, for people.
        reason: String,
        /// ARNs of the actions; may be none.
        actions: Vec<String>,
    },
}

/// What a change of state set off. Lists hold ARNs, and none where the state has no action or actions are not enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// Taken at once.
    Taken(Vec<String>),
    /// Held back.
    Suppressed {
        /// By what.
        by: SuppressedBy,
        /// What would have been taken.
        withheld: Vec<String>,
    },
}

impl Event {
    /// Name of the alarm.
    #[must_use]
    pub fn alarm(&self) -> &str {
        match self {
            Self::StateChanged { alarm, .. } | Self::ActionsResumed { alarm, .. } => alarm,
        }
    }

    /// The state that the alarm is in now.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::StateChanged { to: state, .. } | Self::ActionsResumed { state, .. } => *state,
        }
    }

    /// ARNs of the actions to take now.
    #[must_use]
    pub fn taken(&self) -> &[String] {
        match self {
            Self::StateChanged { actions: Actions::Taken(actions), .. } | Self::ActionsResumed { actions, .. } => {
                actions
            }
            Self::StateChanged { actions: Actions::Suppressed { .. }, .. } => &[],
        }
    }
}
