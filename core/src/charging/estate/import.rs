//! Spaces from a table of texts and back: every fault by row, and all or nothing.
//! It must not know whether the table was a spreadsheet or a CSV file.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::attributes::{Attributes, AttributesError, Grade, Layout, Location, Tenure};
use super::numbers::numbers;
use super::space::Space;
use super::uses::UseList;
use crate::charging::calendar::in_bounds;
use crate::charging::label::SpaceNumber;
use crate::charging::table::{Column, Line, MAX_ROWS, Need, RowFault, read_rows};
use crate::charging::timeline::{Note, Timeline};
use crate::id::AreaId;
use crate::words::Words;

/// The columns of the table of spaces.
pub struct Columns;

impl Columns {
    const ALL: [Column; 10] = [
        Column { name: "number", chinese: "车位号", need: Need::Must },
        Column { name: "area", chinese: "区域", need: Need::Must },
        Column { name: "room", chinese: "房号", need: Need::May },
        Column { name: "location", chinese: "车位位置", need: Need::Must },
        Column { name: "tenure", chinese: "车位类别", need: Need::Must },
        Column { name: "use", chinese: "车位用途", need: Need::Must },
        Column { name: "grade", chinese: "车位分级", need: Need::Must },
        Column { name: "capacity", chinese: "车位容量", need: Need::May },
        Column { name: "size", chinese: "面积", need: Need::Must },
        Column { name: "from", chinese: "生效日期", need: Need::May },
    ];

    /// The names in order, as an export writes them.
    pub fn names() -> Vec<String> {
        Self::ALL.iter().map(|column| column.name.to_owned()).collect()
    }
}

/// What a row says, apart from the numbers.
struct Said {
    numbers: Vec<SpaceNumber>,
    space: Space,
}

/// The spaces that a table makes, or everything that is wrong with it. A number may be a range. Rows of one number are
/// changes of one space, each from its date; without a date a row holds from `otherwise_from`.
/// `exists` says whether a space is there already, which is a fault.
pub fn import_spaces(
    table: &[Vec<String>],
    uses: &UseList,
    exists: impl Fn(&SpaceNumber) -> bool,
    otherwise_from: NaiveDate,
    note: &Note,
) -> Result<Vec<Space>, Vec<RowFault>> {
    let mut made: BTreeMap<SpaceNumber, Space> = BTreeMap::new();
    read_rows(table, &Columns::ALL, |line| {
        let Some(said) = read_row(line, uses, otherwise_from, note) else { return };
        if made.len() + said.numbers.len() > MAX_ROWS {
            line.fault("number", &Words::new("车位过多，请分批导入", "too many spaces; import them in parts"));
            return;
        }
        for number in said.numbers {
            if exists(&number) {
                let words = Words::new(format!("车位{number}已存在"), format!("space {number} exists already"));
                line.fault("number", &words);
            }
            let space = Space { number: number.clone(), ..said.space.clone() };
            merge(&mut made, space, line);
        }
    })?;
    Ok(made.into_values().collect())
}

/// A second row of one number is a change of it, if it is of another day and otherwise agrees.
fn merge(made: &mut BTreeMap<SpaceNumber, Space>, space: Space, line: &mut Line<'_>) {
    let Some(there) = made.get_mut(&space.number) else {
        made.insert(space.number.clone(), space);
        return;
    };
    let number = &space.number;
    let from = space.attributes.begins();
    if there.attributes.changes().iter().any(|change| change.from == from) {
        let words =
            Words::new(format!("车位{number}在{from}出现两次"), format!("space {number} is there twice from {from}"));
        line.fault("number", &words);
    } else if (&there.area, &there.room) != (&space.area, &space.room) {
        let words =
            Words::new(format!("车位{number}的区域或房号前后不一"), format!("space {number} has two areas or rooms"));
        line.fault("number", &words);
    } else if let [change] = space.attributes.changes() {
        there.attributes.set(from, change.value.clone(), change.note.clone());
    }
}

fn read_row(line: &mut Line<'_>, uses: &UseList, otherwise_from: NaiveDate, note: &Note) -> Option<Said> {
    let said = |fault: &dyn std::fmt::Display, zh: &str| Words::new(zh, fault.to_string());
    let all = line.must("number", |text| numbers(text).map_err(|fault| said(&fault, "车位号不正确")));
    let area = line.must("area", |text| AreaId::new(text).map_err(|fault| said(&fault, "区域不正确")));
    let room = line.may("room", |text| text.parse().map_err(|fault: super::RoomError| said(&fault, "房号不正确")));
    let from = line.may("from", |text| {
        let day = text.replace('/', "-").parse::<NaiveDate>().ok().filter(|day| in_bounds(*day));
        day.ok_or_else(|| Words::new("日期请写成 2026-01-31", "write a date as 2026-01-31"))
    });
    let attributes = read_attributes(line, uses)?;
    let (numbers, area) = (all?, area?);
    let number = numbers.first()?.clone();
    let attributes = Timeline::new(from.unwrap_or(otherwise_from), attributes, note.clone());
    Some(Said { numbers, space: Space { number, area, room, attributes } })
}

fn one_of(zh: &[&str], en: &[&str]) -> Words {
    Words::new(format!("应为：{}", zh.join("、")), format!("one of: {}", en.join(", ")))
}

fn read_attributes(line: &mut Line<'_>, uses: &UseList) -> Option<Attributes> {
    macro_rules! word {
        ($column:literal, $kind:ident) => {
            line.must($column, |text| {
                $kind::by_word(text).ok_or_else(|| {
                    let zh: Vec<&str> = $kind::ALL.iter().map(|one| one.chinese()).collect();
                    let en: Vec<&str> = $kind::ALL.iter().map(|one| one.as_str()).collect();
                    one_of(&zh, &en)
                })
            })
        };
    }
    let location = word!("location", Location);
    let tenure = word!("tenure", Tenure);
    let grade = word!("grade", Grade);
    let usage = line.must("use", |text| {
        uses.by_word(text).map(|one| one.id.clone()).ok_or_else(|| {
            let zh: Vec<&str> = uses.all().iter().map(|one| one.name.zh.as_str()).collect();
            let en: Vec<&str> = uses.all().iter().map(|one| one.id.as_str()).collect();
            one_of(&zh, &en)
        })
    });
    let size = line.must("size", |text| {
        let text = text.trim_end_matches(['㎡', '²', 'm', ' ']);
        text.parse().map_err(|fault: AttributesError| Words::new("面积应为 0 到 1000，最多两位小数", fault.to_string()))
    });
    let capacity = line.may("capacity", |text| {
        text.parse::<u8>().map_err(|_| Words::new("容量应为 1 到 99", "a capacity is 1 to 99"))
    });
    let layout = match Layout::new(grade?, capacity) {
        Ok(layout) => Some(layout),
        Err(fault) => {
            line.fault("capacity", &Words::new("容量与车位分级不符", fault.to_string()));
            None
        }
    };
    let attributes = Attributes { location: location?, tenure: tenure?, usage: usage?, layout: layout?, size: size? };
    if let Err(fault) = uses.allows(&attributes) {
        line.fault("use", &Words::new("该用途不允许此车位类别", fault.to_string()));
        return None;
    }
    Some(attributes)
}

/// The table that [`import_spaces`] reads back: one row for each change of each space.
pub fn export_spaces<'e>(spaces: impl IntoIterator<Item = &'e Space>) -> Vec<Vec<String>> {
    let mut table = vec![Columns::names()];
    for space in spaces {
        for change in space.attributes.changes() {
            let is = &change.value;
            table.push(vec![
                space.number.to_string(),
                space.area.to_string(),
                space.room.as_ref().map(ToString::to_string).unwrap_or_default(),
                is.location.as_str().to_owned(),
                is.tenure.as_str().to_owned(),
                is.usage.to_string(),
                is.layout.grade().as_str().to_owned(),
                is.layout.capacity().to_string(),
                is.size.to_string(),
                change.from.to_string(),
            ]);
        }
    }
    table
}
