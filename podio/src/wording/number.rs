//! Formats numbers without Podio's trailing zeros, money with its currency, and durations.

use iso_currency::Currency;
use serde_json::Value;

use super::locale::Locale;
use super::members::{inner, member, to_text};

/// Number of decimals of a currency that the table does not contain: most have two.
const USUAL_DECIMALS: usize = 2;

/// Formats `300.0000` as 300. Text that is not a number stays unchanged.
pub(super) fn words(text: &str, locale: Locale) -> String {
    match split_decimals(text) {
        Some((whole, decimals)) => locale.number(whole, decimals.trim_end_matches('0'), false),
        None => text.to_owned(),
    }
}

/// Returns whether a text has four decimals, as Podio's numbers do.
pub(super) fn has_podios_decimals(text: &str) -> bool {
    split_decimals(text).is_some_and(|(_, decimals)| decimals.len() == 4)
}

pub(super) fn percent(text: &str) -> String {
    match split_decimals(text) {
        Some((whole, decimals)) => {
            let number = Locale::NONE.number(whole, decimals.trim_end_matches('0'), false);
            format!("{number} %")
        }
        None => text.to_owned(),
    }
}

/// Formats an amount with the decimals that are usual for its currency.
pub(super) fn money(value: &Value, locale: Locale) -> String {
    let amount = to_text(inner(value));
    let currency = member(value, "currency").map(to_text).unwrap_or_default();
    let Some((whole, decimals)) = split_decimals(&amount) else {
        return amount;
    };
    let known = Currency::from_code(&currency);
    let usual = known.map_or(USUAL_DECIMALS, |known| {
        known.exponent().map_or(0, usize::from)
    });
    let decimals = format!("{:0<usual$}", decimals.trim_end_matches('0'));
    let amount = locale.number(whole, &decimals, true);
    if currency.is_empty() {
        amount
    } else {
        format!("{amount} {currency}")
    }
}

/// Formats seconds as hours and minutes, and as days only if the field shows days.
pub(super) fn duration(value: &Value, settings: &Value) -> String {
    let text = to_text(value);
    let whole = split_decimals(&text).map_or("", |(whole, _)| whole);
    let Ok(seconds) = whole.parse::<i64>() else {
        return text;
    };
    let shown = member(settings, "fields").and_then(Value::as_array);
    let days = shown.is_some_and(|fields| fields.iter().any(|field| field == "days"));
    let sign = if seconds < 0 { "-" } else { "" };
    let mut rest = seconds.unsigned_abs();
    let mut words = Vec::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)] {
        if unit == "d" && !days {
            continue;
        }
        let count = rest / length;
        rest %= length;
        if count > 0 {
            words.push(format!("{count} {unit}"));
        }
    }
    if words.is_empty() {
        words.push("0 min".to_owned());
    }
    format!("{sign}{}", words.join(" "))
}

/// Splits a decimal number into its whole part, with the sign, and its decimals.
fn split_decimals(text: &str) -> Option<(&str, &str)> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    (!unsigned.is_empty() && digits(unsigned) && digits(decimals)).then_some((whole, decimals))
}
