//! The table of default keys.

use super::{Action, Binding, Context};

/// Context, action, keys (the one to show first), label for the footer, words for the help.
type BindingRow = (
    Context,
    Action,
    &'static [&'static str],
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const TABLE: &[BindingRow] = {
    use Action as A;
    use Context::{Browse, Confirm, Detail, Global, Hooks, List, Modal, Table, Typing};
    &[
        (List, A::Open, &["enter", "l", "right"], "open", "open the event"),
        (Browse, A::Replay, &["r"], "replay", "send the event again"),
        (Browse, A::ReplayWith, &["R"], "", "replay elsewhere, or at a rate"),
        (Browse, A::Explain, &["w"], "what changed", "ask Podio what changed"),
        (Browse, A::Edit, &["e"], "edit & replay", "edit the event and send it"),
        (List, A::Filter, &["/", "f"], "filter", "filter the events"),
        (List, A::Back, &["esc"], "show all", "show all events again"),
        (Browse, A::Copy, &["y"], "copy", "copy: curl, URL, JSON, raw"),
        (Browse, A::Export, &["x"], "export", "export as HAR or JSON lines"),
        (Browse, A::Import, &["I"], "", "import an archive"),
        (Browse, A::Trigger, &["t"], "trigger", "send an event of your own"),
        (Browse, A::Tunnels, &["ctrl-r"], "", "switch to another tunnel"),
        (Browse, A::SetTarget, &["S"], "", "where events are delivered"),
        (List, A::Mark, &["m"], "mark", "mark the event, or unmark it"),
        (List, A::MarkRange, &["v"], "", "begin a range; again: mark it"),
        (List, A::MarkAll, &["ctrl-a"], "", "mark all that match the filter"),
        (List, A::Unmark, &["u"], "", "unmark all"),
        (Browse, A::OpenItem, &["o"], "", "open the item in Podio"),
        (Browse, A::OpenPage, &["O"], "", "open the web page"),
        (List, A::OnlyMarked, &["M"], "", "show only marked ones, or all"),
        (Browse, A::Note, &[";"], "", "write a note on the event"),
        (List, A::Fold, &["z"], "", "open a burst, or close it"),
        (Browse, A::Compare, &["d"], "", "compare with the marked event"),
        (Browse, A::Stop, &["s"], "stop", "stop sending, or importing"),
        (List, A::Hooks, &["h"], "hooks", "hooks, as Podio has them"),
        (Browse, A::Timeline, &["T"], "", "the timeline of the item"),
        (Browse, A::Why, &["Y"], "", "why it arrived, or did not"),
        (Browse, A::Repair, &["P"], "repair", "look for lost events"),
        (Browse, A::Faults, &["E"], "", "failures, by their fault"),
        (Browse, A::Pulses, &["p"], "", "calls and limits, by hook"),
        (Browse, A::Release, &["L"], "", "deliver a looping object again"),
        (Browse, A::Health, &["i"], "health", "the state of the agent"),
        (Browse, A::Palette, &[":"], "commands", "find a command"),
        (List, A::Follow, &["F"], "", "newest, then deliver held ones"),
        (Browse, A::Pause, &["space"], "", "pause the screen, or resume"),
        (List, A::Down, &["j", "down"], "", "next event"),
        (List, A::Up, &["k", "up"], "", "previous event"),
        (List, A::PageDown, &["pgdn", "ctrl-f"], "", "a screen down"),
        (List, A::PageUp, &["pgup", "ctrl-b"], "", "a screen up"),
        (List, A::HalfDown, &["ctrl-d"], "", "half a screen down"),
        (List, A::HalfUp, &["ctrl-u"], "", "half a screen up"),
        (List, A::Top, &["g", "home"], "", "newest event"),
        (List, A::Bottom, &["G", "end"], "", "oldest event"),
        (Detail, A::Back, &["esc", "q", "h", "left"], "back", "back to the list"),
        (Detail, A::Find, &["/"], "find", "find text in this tab"),
        (Detail, A::FindNext, &["n"], "", "next place"),
        (Detail, A::FindPrevious, &["N"], "", "previous place"),
        (Detail, A::Down, &["j", "down"], "", "a line down"),
        (Detail, A::Up, &["k", "up"], "", "a line up"),
        (Detail, A::PageDown, &["pgdn", "ctrl-f"], "", "a screen down"),
        (Detail, A::PageUp, &["pgup", "ctrl-b"], "", "a screen up"),
        (Detail, A::HalfDown, &["ctrl-d"], "", "half a screen down"),
        (Detail, A::HalfUp, &["ctrl-u"], "", "half a screen up"),
        (Detail, A::Top, &["g", "home"], "", "first line"),
        (Detail, A::Bottom, &["G", "end"], "", "last line"),
        (Detail, A::Left, &["<"], "", "to the left, unwrapped"),
        (Detail, A::Right, &[">"], "", "to the right, unwrapped"),
        (Detail, A::Mark, &["m"], "", "mark the event, or unmark it"),
        (Detail, A::Select, &["v"], "", "select lines; y copies them"),
        (Browse, A::BodyView, &["b"], "", "the body as text, hex, JSON"),
        (Browse, A::Wrap, &["W"], "", "wrap long lines, or do not"),
        (Browse, A::Zoom, &["+"], "", "this pane alone, or both"),
        (Browse, A::PreviousAttempt, &["["], "", "answer to the attempt before"),
        (Browse, A::NextAttempt, &["]"], "", "answer to the next attempt"),
        (Browse, A::CompareAnswers, &["c"], "", "compare with the answer before"),
        (Browse, A::NextTab, &["tab"], "next tab", "next tab"),
        (Browse, A::PreviousTab, &["shift-tab"], "", "previous tab"),
        (Browse, A::Summary, &["1"], "", "summary"),
        (Browse, A::Params, &["2"], "", "parameters"),
        (Browse, A::Request, &["3"], "", "request"),
        (Browse, A::Response, &["4"], "", "response"),
        (Browse, A::Attempts, &["5"], "", "attempts"),
        (Browse, A::Diff, &["6"], "", "what changed"),
        (Modal, A::Back, &["esc", "q", "?"], "close", "close"),
        (Modal, A::Down, &["j", "down"], "", "a line down"),
        (Modal, A::Up, &["k", "up"], "", "a line up"),
        (Modal, A::PageDown, &["pgdn", "ctrl-f", "space"], "", "a screen down"),
        (Modal, A::PageUp, &["pgup", "ctrl-b"], "", "a screen up"),
        (Modal, A::Top, &["g", "home"], "", "first line"),
        (Modal, A::Bottom, &["G", "end"], "", "last line"),
        (Confirm, A::Accept, &["enter", "y"], "do it", "do it"),
        (Confirm, A::EditAgain, &["e"], "", "edit again"),
        (Confirm, A::Back, &["esc", "q", "n"], "leave", "leave it"),
        (Confirm, A::Down, &["j", "down"], "", "a line down"),
        (Confirm, A::Up, &["k", "up"], "", "a line up"),
        (Confirm, A::PageDown, &["pgdn", "space"], "", "a screen down"),
        (Confirm, A::PageUp, &["pgup"], "", "a screen up"),
        (Hooks, A::Open, &["enter", "l", "right"], "open", "all about the hook"),
        (Hooks, A::CreateHook, &["c"], "create", "make a hook"),
        (Hooks, A::VerifyHook, &["v"], "verify again", "ask Podio to verify it again"),
        (Hooks, A::DeleteHook, &["del", "D"], "delete", "delete the hook"),
        (Hooks, A::Copy, &["y"], "copy URL", "copy the hook's URL"),
        (Hooks, A::Reload, &["R", "ctrl-r"], "reload", "ask Podio again"),
        (Hooks, A::Back, &["esc", "q", "h", "left"], "close", "close"),
        (Hooks, A::Down, &["j", "down"], "", "next hook"),
        (Hooks, A::Up, &["k", "up"], "", "previous hook"),
        (Hooks, A::PageDown, &["pgdn", "ctrl-f", "space"], "", "a screen down"),
        (Hooks, A::PageUp, &["pgup", "ctrl-b"], "", "a screen up"),
        (Hooks, A::HalfDown, &["ctrl-d"], "", "half a screen down"),
        (Hooks, A::HalfUp, &["ctrl-u"], "", "half a screen up"),
        (Hooks, A::Top, &["g", "home"], "", "first hook"),
        (Hooks, A::Bottom, &["G", "end"], "", "last hook"),
        (Table, A::Open, &["enter", "l", "right"], "open", "show the event, or events"),
        (Table, A::Back, &["esc", "q", "h", "left"], "close", "close"),
        (Table, A::Down, &["j", "down"], "", "next row"),
        (Table, A::Up, &["k", "up"], "", "previous row"),
        (Table, A::PageDown, &["pgdn", "ctrl-f", "space"], "", "a screen down"),
        (Table, A::PageUp, &["pgup", "ctrl-b"], "", "a screen up"),
        (Table, A::HalfDown, &["ctrl-d"], "", "half a screen down"),
        (Table, A::HalfUp, &["ctrl-u"], "", "half a screen up"),
        (Table, A::Top, &["g", "home"], "", "first row"),
        (Table, A::Bottom, &["G", "end"], "", "last row"),
        (Typing, A::Open, &["enter"], "take it", "keep what is typed"),
        (Typing, A::Back, &["esc"], "leave", "leave it"),
        (Typing, A::NextTab, &["tab"], "next field", "next field"),
        (Typing, A::PreviousTab, &["shift-tab"], "", "previous field"),
        (Typing, A::Up, &["up"], "", "what was typed before"),
        (Typing, A::Down, &["down"], "", "what was typed after"),
        (Global, A::Help, &["?", "f1"], "help", "this help"),
        (List, A::Quit, &["q"], "quit", "quit"),
        (Global, A::Suspend, &["ctrl-z"], "", "suspend; `fg` returns"),
        (Global, A::Quit, &["ctrl-c"], "", "quit"),
    ]
};

/// Returns the parsed table.
pub(super) fn bindings() -> Vec<Binding> {
    TABLE
        .iter()
        .map(|&(context, action, keys, label, help)| Binding {
            context,
            action,
            keys: keys.iter().filter_map(|key| key.parse().ok()).collect(),
            label,
            help,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_parses() {
        for (binding, row) in bindings().iter().zip(TABLE) {
            assert_eq!(binding.keys.len(), row.2.len(), "{:?}", binding.action);
        }
    }

    #[test]
    fn the_help_of_every_key_fits_on_the_narrowest_screen() {
        for (_, action, _, _, help) in TABLE {
            assert!(help.len() <= 30, "{action:?}: {help}");
        }
    }

    #[test]
    fn every_action_has_a_key() {
        for action in Action::ALL {
            assert!(TABLE.iter().any(|row| row.1 == *action), "{action:?}");
        }
    }
}
