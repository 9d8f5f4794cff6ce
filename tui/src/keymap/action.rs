//! What a key can do.

/// Makes [`Action`] and its names from one table.
macro_rules! actions {
    ($($variant:ident = $name:literal: $doc:literal,)+) => {
        /// Something that a person can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $doc] $variant,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name by which the configuration and the palette call it.
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
    Left = "left": "To the left, where lines are not wrapped.",
    Right = "right": "To the right, where lines are not wrapped.",
    BodyView = "body-view": "Shows the body in its next form: text, hex, JSON.",
    Wrap = "wrap": "Wraps long lines, or lets them go on beyond the edge.",
    Zoom = "zoom": "Gives the whole screen to a pane, or both a part of it.",
    NextAttempt = "next-attempt": "The answer to the next attempt.",
    PreviousAttempt = "previous-attempt": "The answer to the previous attempt.",
    CompareAnswers = "compare-answers": "Shows how an answer differs from the one before it.",
    Select = "select": "Begins to select lines, or ends it.",
    Open = "open": "Opens the selected event.",
    Back = "back": "Leaves this place.",
    Replay = "replay": "Sends the event to the local service again.",
    Follow = "follow": "Goes to the newest event and stays there.",
    Filter = "filter": "Types a filter.",
    ReplayWith = "replay-with": "Replays elsewhere, or slower.",
    Find = "find": "Finds text in the open tab.",
    FindNext = "find-next": "The next place of the text.",
    FindPrevious = "find-previous": "The previous place of the text.",
    Trigger = "trigger": "Sends an event that Podio did not send.",
    Tunnels = "tunnels": "Shows the tunnels of this process, to switch to another.",
    SetTarget = "set-target": "Says where events are delivered from now on.",
    Edit = "edit": "Opens the event in the editor, then sends it changed.",
    EditAgain = "edit-again": "Opens the editor once more.",
    Accept = "accept": "Does what is asked.",
    Stop = "stop": "Sends no more of the marked events.",
    Mark = "mark": "Marks the event, or takes its mark away.",
    MarkRange = "mark-range": "Begins a range, then marks all of it.",
    MarkAll = "mark-all": "Marks every event that passes the filter.",
    Unmark = "unmark": "Takes all marks away.",
    OnlyMarked = "only-marked": "Shows only what is marked, or all again.",
    Note = "note": "Writes a note on the event.",
    Fold = "fold": "Opens a burst, or closes it.",
    Compare = "compare": "Shows how the event differs from the marked one.",
    Explain = "explain": "Asks Podio what the event was about, and what changed.",
    OpenItem = "open-item": "Opens the item in Podio.",
    OpenPage = "open-page": "Opens the web page in the browser.",
    Timeline = "timeline": "All that happened to the item.",
    Why = "why": "Says why something arrived, or why it did not.",
    Repair = "repair": "Looks for events that never came.",
    Faults = "failures": "Failed deliveries, those of the same fault together.",
    Pulses = "pulses": "What each hook sent, and how far it is from Podio's limits.",
    Hooks = "show-hooks": "Shows the hooks as Podio has them.",
    CreateHook = "create-hook": "Makes a hook.",
    VerifyHook = "verify-hook": "Has Podio verify a hook again.",
    DeleteHook = "delete-hook": "Deletes a hook.",
    Reload = "reload": "Asks Podio for the hooks again.",
    Release = "release": "Lets an object go that is held because of a loop.",
    Copy = "copy": "Copies the event in one of several forms.",
    Export = "export": "Writes events into a file.",
    Import = "import": "Takes over what a file holds.",
    Health = "health": "Shows how the agent is.",
    Palette = "palette": "Finds what can be done by a few letters.",
    Pause = "pause": "Holds the screen still, or lets it go on.",
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
    /// Whether there is nothing that it could do without an event, so that it says so on a gap.
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

    /// Whether it reads the selected event, or acts on it: from then on that event is meant,
    /// whatever arrives.
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
