//! Parses the arguments of a tool strictly, so that an error is reported and not guessed around.

use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::ToolProblem;

/// Maximum number of characters in a filter.
pub(crate) const MAX_FILTER: usize = 1_000;

/// Parses the arguments of a call to this tool.
pub(crate) fn parse<T: DeserializeOwned>(
    tool: &str,
    arguments: Option<JsonObject>,
) -> Result<T, ToolProblem> {
    let arguments = Value::Object(arguments.unwrap_or_default());
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let place = match error.path().to_string() {
            whole if whole == "." => String::new(),
            place => format!("`{place}`: "),
        };
        let why = error.into_inner();
        ToolProblem::new(format!(
            "the arguments of {tool} cannot be used: {place}{why}"
        ))
        .hint(format!(
            "the schema of {tool} in tools/list has its arguments"
        ))
    })
}

/// Checks that a number is within these limits.
pub(crate) fn within(name: &str, number: u32, least: u32, most: u32) -> Result<usize, ToolProblem> {
    if (least..=most).contains(&number) {
        return Ok(usize::try_from(number).unwrap_or(usize::MAX));
    }
    Err(ToolProblem::new(format!("`{name}` cannot be {number}"))
        .hint(format!("use a number from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        id: String,
        #[serde(default)]
        limit: u32,
    }

    fn wrong(arguments: &Value) -> String {
        let arguments = arguments.as_object().cloned();
        parse::<Arguments>("get", arguments).unwrap_err().what
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (arguments, said) in [
            (json!({}), "missing field `id`"),
            (
                json!({ "id": 7 }),
                "`id`: invalid type: integer `7`, expected a string",
            ),
            (
                json!({ "id": "x", "limit": "ten" }),
                "`limit`: invalid type: string \"ten\"",
            ),
            (
                json!({ "id": "x", "limit": -1 }),
                "`limit`: invalid value: integer `-1`",
            ),
            (json!({ "id": "x", "limits": 1 }), "unknown field `limits`"),
            (json!({ "id": null }), "`id`: invalid type: null"),
        ] {
            let what = wrong(&arguments);
            assert!(what.contains(said), "{arguments}: {what}");
        }
        let right = json!({ "id": "x" }).as_object().cloned();
        let right: Arguments = parse("get", right).unwrap();
        assert_eq!((right.id.as_str(), right.limit), ("x", 0));
    }

    #[test]
    fn a_number_out_of_its_limits_says_which_would_do() {
        assert_eq!(within("limit", 100, 1, 100).unwrap(), 100);
        for number in [0, 101, 100_000] {
            let problem = within("limit", number, 1, 100).unwrap_err();
            assert!(problem.what.contains(&number.to_string()));
            assert_eq!(problem.cure.unwrap(), "use a number from 1 to 100");
        }
    }
}
