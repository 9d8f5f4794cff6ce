//! The tools: one file for each, and the table of all of them.

mod explain_event;
mod filter;
mod get_event;
mod link_state;
mod list_events;
mod list_hooks;
mod replay_event;
mod trigger_event;
mod wait_for_event;
mod why;
mod write;

use podtap_agent::AgentHandle;
use podtap_agent::EventId;
use podtap_agent::history::{Event, History, HistoryError};
use rmcp::model::{JsonObject, Tool as Description, ToolAnnotations};
use schemars::JsonSchema;

use crate::answer::ToolAnswer;
use crate::arguments::parse;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

/// A tool, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    ListEvents,
    GetEvent,
    ExplainEvent,
    WaitForEvent,
    ListHooks,
    LinkState,
    Why,
    ReplayEvent,
    TriggerEvent,
}

impl Tool {
    pub(crate) const ALL: [Self; 9] = [
        Self::ListEvents,
        Self::GetEvent,
        Self::ExplainEvent,
        Self::WaitForEvent,
        Self::ListHooks,
        Self::LinkState,
        Self::Why,
        Self::ReplayEvent,
        Self::TriggerEvent,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ListEvents => "list_events",
            Self::GetEvent => "get_event",
            Self::ExplainEvent => "explain_event",
            Self::WaitForEvent => "wait_for_event",
            Self::ListHooks => "list_hooks",
            Self::LinkState => "link_state",
            Self::Why => "why",
            Self::ReplayEvent => "replay_event",
            Self::TriggerEvent => "trigger_event",
        }
    }

    /// Returns the tool with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Returns whether the tool sends events.
    pub(crate) const fn writes(self) -> bool {
        matches!(self, Self::ReplayEvent | Self::TriggerEvent)
    }

    /// Returns whether the tool asks Podio.
    const fn asks_podio(self) -> bool {
        matches!(self, Self::ExplainEvent | Self::ListHooks | Self::Why)
    }

    /// Returns the description for the client.
    pub(crate) fn describe(self) -> Description {
        match self {
            Self::ListEvents => self.with::<list_events::ListEventsArguments>(list_events::TEXT),
            Self::GetEvent => self.with::<get_event::GetEventArguments>(get_event::TEXT),
            Self::ExplainEvent => {
                self.with::<explain_event::ExplainEventArguments>(explain_event::TEXT)
            }
            Self::WaitForEvent => {
                self.with::<wait_for_event::WaitForEventArguments>(wait_for_event::TEXT)
            }
            Self::ListHooks => self.with::<list_hooks::ListHooksArguments>(list_hooks::TEXT),
            Self::LinkState => self.with::<link_state::LinkStateArguments>(link_state::TEXT),
            Self::Why => self.with::<why::WhyArguments>(why::TEXT),
            Self::ReplayEvent => {
                self.with::<replay_event::ReplayEventArguments>(replay_event::TEXT)
            }
            Self::TriggerEvent => {
                self.with::<trigger_event::TriggerEventArguments>(trigger_event::TEXT)
            }
        }
    }

    fn with<A: JsonSchema + 'static>(self, text: &'static str) -> Description {
        let hints = ToolAnnotations::new()
            .read_only(!self.writes())
            .destructive(self.writes())
            .idempotent(!self.writes())
            .open_world(self.asks_podio());
        Description::new(self.name(), text, JsonObject::new())
            .with_input_schema::<A>()
            .with_annotations(hints)
    }

    /// Runs the tool.
    pub(crate) async fn call(
        self,
        world: &ToolContext,
        arguments: Option<JsonObject>,
    ) -> Result<ToolAnswer, ToolProblem> {
        if self.writes() && !world.config.allow_write {
            let name = self.name();
            return Err(ToolProblem::new(format!("{name} is not allowed here"))
                .hint("ask the user to start the server as `podtap mcp --allow-write`"));
        }
        match self {
            Self::ListEvents => list_events::call(world, parse(self.name(), arguments)?).await,
            Self::GetEvent => get_event::call(world, parse(self.name(), arguments)?).await,
            Self::ExplainEvent => explain_event::call(world, parse(self.name(), arguments)?).await,
            Self::WaitForEvent => wait_for_event::call(world, parse(self.name(), arguments)?).await,
            Self::ListHooks => list_hooks::call(world, parse(self.name(), arguments)?).await,
            Self::LinkState => link_state::call(world, parse(self.name(), arguments)?).await,
            Self::Why => why::call(world, parse(self.name(), arguments)?).await,
            Self::ReplayEvent => replay_event::call(world, parse(self.name(), arguments)?).await,
            Self::TriggerEvent => trigger_event::call(world, parse(self.name(), arguments)?).await,
        }
    }
}

/// Returns the id of the event with this id or part of an id.
async fn find(history: &History, text: &str) -> Result<EventId, ToolProblem> {
    match history.find(text).await?.as_slice() {
        [id] => Ok(*id),
        [] => Err(ToolProblem::new("no event has this id").hint("list_events has the ids")),
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            let ids = ids.join(", ");
            Err(
                ToolProblem::new(format!("several events have this id: {ids}"))
                    .hint("use one of them"),
            )
        }
    }
}

/// Returns the complete event with this id or part of an id.
async fn load(handle: &AgentHandle, text: &str) -> Result<Event, ToolProblem> {
    let id = find(handle.history(), text).await?;
    let event = handle.history().event(id).await?;
    event.ok_or_else(|| HistoryError::Gone.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKILL: &str = include_str!("../../../docs/skills/podtap/SKILL.md");

    #[test]
    fn the_tools_are_these() {
        let tools = Tool::ALL.map(Tool::describe);
        insta::assert_json_snapshot!(tools);
    }

    #[test]
    fn a_schema_takes_no_other_fields() {
        for tool in Tool::ALL.map(Tool::describe) {
            let schema = &tool.input_schema;
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
            assert_eq!(schema["type"], "object", "{}", tool.name);
        }
    }

    #[test]
    fn the_skill_names_every_tool_and_no_other() {
        let quoted: Vec<&str> = SKILL.split('`').skip(1).step_by(2).collect();
        for tool in Tool::ALL {
            assert!(quoted.contains(&tool.name()), "{}", tool.name());
        }
        let ends = ["_event", "_events", "_hooks", "_state"];
        let tools = quoted
            .iter()
            .filter(|word| ends.iter().any(|end| word.ends_with(end)));
        for name in tools {
            assert!(Tool::from_name(name).is_some(), "{name}");
        }
    }
}
