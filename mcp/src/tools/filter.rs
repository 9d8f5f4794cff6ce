//! Parses the filter of a call.

use jiff::Timestamp;
use podtap_agent::history::Filter;

use crate::arguments::MAX_FILTER;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

/// Parses a filter. Also returns what the caller may have meant by a word in it.
pub(super) fn parse(
    text: &str,
    world: &ToolContext,
) -> Result<(Filter, Option<String>), ToolProblem> {
    if text.chars().count() > MAX_FILTER {
        return Err(ToolProblem::new("the filter is too long")
            .hint(format!("use at most {MAX_FILTER} characters")));
    }
    let filter = Filter::parse(text, Timestamp::now(), &world.config.saved).map_err(|error| {
        ToolProblem::new(format!("the filter cannot be read: {error}"))
            .hint("write terms such as type:item.* item:4711 status:5xx after:10m")
    })?;
    let hint = filter.nearly_fields().first().map(ToString::to_string);
    Ok((filter, hint))
}
