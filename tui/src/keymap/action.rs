//! The actions that keys can have.

/// Defines [`Action`] and its names in one table.
macro_rules! actions {
    ($($variant:ident = $name:literal: $doc:literal,)+) => {
        /// An action that a person can start with a key.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $doc] $variant,)+
        }

        impl Action {
            /// All actions, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the name of the action in the configuration and the palette.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

actions! {
    Down = "down": "One row down.",
    Up = "up": "One row up.",
    HalfDown = "half-down": "Half a screen down.",
    HalfUp = "half-up": "Half a screen up.",
    PageDown = "page-down": "A screen down.",
    PageUp = "page-up": "A screen up.",
    Top = "top": "To the first row.",
    Bottom = "bottom": "To the last row.",
    Left = "left": "To the left, if lines are not wrapped.",
    Right = "right": "To the right, if lines are not wrapped.",
    BodyView = "body-view": "Switches the body between text, hex and JSON.",
    Wrap = "wrap": "Turns the wrapping of long lines on or off.",
    Zoom = "zoom": "Shows one pane on the whole screen, or both.",
    NextAttempt = "next-attempt": "The answer to the next attempt.",
    PreviousAttempt = "previous-attempt": "The answer to the previous attempt.",
    CompareAnswers = "compare-answers": "Shows how an answer differs from the one before it.",
    Select = "select": "Starts or ends a selection of lines.",
    Open = "open": "Opens the selected event.",
    Back = "back": "Goes back.",
    Replay = "replay": "Sends the event to the local service again.",
    Follow = "follow": "Goes to the newest event and stays there.",
    Filter = "filter": "Types a filter.",
    ReplayWith = "replay-with": "Replays elsewhere, or slower.",
    Find = "find": "Finds text in the open tab.",
    FindNext = "find-next": "The next match.",
    FindPrevious = "find-previous": "The previous match.",
    Trigger = "trigger": "Sends an event of your own.",
    Tunnels = "tunnels": "Shows the tunnels of this process, to switch to another.",
    SetTarget = "set-target": "Sets the local service that gets the events.",
    Edit = "edit": "Edits the event, then sends it.",
    EditAgain = "edit-again": "Opens the editor again.",
    Accept = "accept": "Confirms.",
    Stop = "stop": "Stops sending the marked events.",
    Mark = "mark": "Marks or unmarks the event.",
    MarkRange = "mark-range": "Starts a range; pressed again, marks it.",
    MarkAll = "mark-all": "Marks every event that matches the filter.",
    Unmark = "unmark": "Removes all marks.",
    OnlyMarked = "only-marked": "Shows only marked events, or all.",
    Note = "note": "Writes a note on the event.",
    Fold = "fold": "Opens a burst, or closes it.",
    Compare = "compare": "Compares the event with the marked one.",
    Explain = "explain": "Asks Podio what the event was about, and what changed.",
    OpenItem = "open-item": "Opens the item in Podio.",
    OpenPage = "open-page": "Opens the web page in the browser.",
    Timeline = "timeline": "Shows the timeline of the item.",
    Why = "why": "Says why something arrived, or why it did not.",
    Repair = "repair": "Looks for events that never arrived.",
    Faults = "failures": "Lists failed deliveries by their fault.",
    Pulses = "pulses": "Lists what each hook sent, and how close it is to Podio's limits.",
    Hooks = "show-hooks": "Shows the hooks as Podio has them.",
    CreateHook = "create-hook": "Makes a hook.",
    VerifyHook = "verify-hook": "Asks Podio to verify a hook again.",
    DeleteHook = "delete-hook": "Deletes a hook.",
    Reload = "reload": "Asks Podio for the hooks again.",
    Release = "release": "Releases an object that is held because of a loop.",
    Copy = "copy": "Copies the event in one of several forms.",
    Export = "export": "Exports events to a file.",
    Import = "import": "Imports events from a file.",
    Health = "health": "Shows the state of the agent.",
    Palette = "palette": "Finds a command by a few letters.",
    Pause = "pause": "Pauses the screen, or resumes it.",
    NextTab = "next-tab": "The next tab of the detail.",
    PreviousTab = "previous-tab": "The previous tab of the detail.",
    Summary = "summary": "The tab Summary.",
    Params = "params": "The tab Params.",
    Request = "request": "The tab Request.",
    Response = "response": "The tab Response.",
    Attempts = "attempts": "The tab Attempts.",
    Diff = "diff": "The tab Diff.",
    Help = "help": "Shows every key of the current place.",
    Suspend = "suspend": "Stops the program until the shell's `fg`.",
    Quit = "quit": "Ends.",
}

impl Action {
    /// Returns whether the action can do nothing without an event, so that
    /// it shows a notice on a gap.
    pub(crate) const fn needs_event(self) -> bool {
        matches!(
            self,
            Self::Replay
                | Self::Edit
                | Self::Explain
                | Self::OpenItem
                | Self::Timeline
                | Self::Release
                | Self::Note
                | Self::Mark
                | Self::Compare
                | Self::CompareAnswers
        )
    }

    /// Returns whether the action reads or changes the selected event. The selection then stays on
    /// that event, even if others arrive.
    pub(crate) const fn concerns_event(self) -> bool {
        matches!(
            self,
            Self::Open
                | Self::Replay
                | Self::ReplayWith
                | Self::Edit
                | Self::Explain
                | Self::OpenItem
                | Self::Timeline
                | Self::Why
                | Self::Release
                | Self::Copy
                | Self::Export
                | Self::Note
                | Self::Compare
                | Self::CompareAnswers
                | Self::NextAttempt
                | Self::PreviousAttempt
                | Self::Mark
                | Self::MarkRange
                | Self::Fold
                | Self::BodyView
                | Self::Wrap
                | Self::Zoom
                | Self::NextTab
                | Self::PreviousTab
                | Self::Summary
                | Self::Params
                | Self::Request
                | Self::Response
                | Self::Attempts
                | Self::Diff
        )
    }
}
