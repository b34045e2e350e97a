//! A list for people: columns as wide as their widest cell.

use crate::domain::Timestamp;
use serde_json::Value;

/// The items with a heading over them; each column is the value of a key, or of one within another (`a.b`).
pub fn table(columns: &[(&str, &str)], items: &Value) -> String {
    let heading = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    let row = |item: &Value| -> Vec<String> {
        let cell = |(_, path): &(&str, &str)| {
            let pointer = format!("/{}", path.replace('.', "/"));
            cell(item.pointer(&pointer).unwrap_or(&Value::Null))
        };
        columns.iter().map(cell).collect()
    };
    let rows: Vec<Vec<String>> = std::iter::once(heading)
        .chain(items.iter().map(row))
        .collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| width(at).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => match Timestamp::parse(text) {
            // To the second is enough for people.
            Ok(_) => text
                .get(..19)
                .map_or_else(|| text.clone(), |text| text.to_owned() + "Z"),
            Err(_) => text.clone(),
        },
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(",")
        }
        Value::Number(number) => number.to_string(),
        _ => "-".to_owned(),
    }
}
