//! A .json file: a list of objects is one table; an object of lists several, under their names. The keys of the objects are
//! the columns. A record stands in it as it is.

use serde_json::{Map, Value};
use tollhouse_core::charging::tables::Rows;

use super::{ChargingFault, MAX_SHEETS, Sheet, large, push, unreadable};

/// The column that holds a whole record.
const RECORD: &str = "record";

/// Reads the tables of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Sheet>, ChargingFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes).map_err(|fault| unreadable("JSON 文件无法读取", fault))? {
        Value::Array(list) => Ok(vec![Sheet { name: String::new(), rows: table(list)? }]),
        Value::Object(tables) if tables.len() > MAX_SHEETS => Err(large("表过多", "the file has more than 32 tables")),
        Value::Object(tables) => {
            let one = |(name, value)| match value {
                Value::Array(list) => Ok(Sheet { name, rows: table(list)? }),
                _ => Err(shape()),
            };
            tables.into_iter().map(one).collect()
        }
        _ => Err(shape()),
    }
}

fn shape() -> ChargingFault {
    unreadable("JSON 应为对象的列表", "it is a list of objects, or an object of such lists")
}

fn table(list: Vec<Value>) -> Result<Rows, ChargingFault> {
    let mut header: Vec<String> = vec![];
    let mut rows = Rows::new();
    let mut objects = Vec::with_capacity(list.len());
    for value in list {
        let Value::Object(object) = value else { return Err(shape()) };
        header.extend(object.keys().filter(|key| !header.contains(key)).cloned().collect::<Vec<_>>());
        if header.len() > super::MAX_COLUMNS {
            return Err(large("列数过多", "the table has more than 64 columns"));
        }
        objects.push(object);
    }
    push(&mut rows, header.clone())?;
    for mut object in objects {
        let cells = header.iter().map(|key| object.remove(key).map_or_else(String::new, cell));
        push(&mut rows, cells.collect())?;
    }
    Ok(rows)
}

fn cell(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Writes tables: one as a list, several under their names.
pub(super) fn write(sheets: &[Sheet]) -> Vec<u8> {
    let value = match sheets {
        [only] => list(&only.rows),
        several => {
            Value::Object(several.iter().map(|sheet| (sheet.name.clone(), list(&sheet.rows))).collect::<Map<_, _>>())
        }
    };
    serde_json::to_vec_pretty(&value).expect("a value is JSON")
}

fn list(rows: &Rows) -> Value {
    let Some((header, rows)) = rows.split_first() else { return Value::Array(vec![]) };
    let object = |row: &Vec<String>| {
        let cells = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let value = |key: &String, text: &String| {
            let whole = (key == RECORD).then(|| serde_json::from_str(text).ok()).flatten();
            whole.unwrap_or_else(|| Value::String(text.clone()))
        };
        Value::Object(cells.map(|(key, text)| (key.clone(), value(key, text))).collect())
    };
    Value::Array(rows.iter().map(object).collect())
}
