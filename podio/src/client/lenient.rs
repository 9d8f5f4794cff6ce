//! Reading what Podio answers as far as it can be read: a null, a missing member or an odd shape
//! costs that member, never the answer.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// A member, or its default where it is not what it should be.
pub(in crate::client) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// The elements of a list that are what they should be.
pub(in crate::client) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let values = values(deserializer)?.into_iter();
    Ok(values
        .filter_map(|value| serde_json::from_value(value).ok())
        .collect())
}

/// A list of anything; what stands alone where a list should be is its one element.
pub(in crate::client) fn values<'de, D>(deserializer: D) -> Result<Vec<Value>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        one => vec![one],
    })
}
