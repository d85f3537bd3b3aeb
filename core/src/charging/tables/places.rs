//! Uses and pools as tables. Spaces have their own in `estate`.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::cells::{date, list, name, one_of, short, whole};
use super::{Rows, names};
use crate::charging::estate::{Location, Pool, PoolTerms, Tenure, Use, UseList};
use crate::charging::label::PoolId;
use crate::charging::table::{Column, Line, Need, RowFault, read_rows};
use crate::charging::timeline::{Note, Timeline};
use crate::id::AreaId;
use crate::words::Words;

const USES: [Column; 4] = [
    Column { name: "id", chinese: "用途", need: Need::Must },
    Column { name: "name_zh", chinese: "中文名称", need: Need::Must },
    Column { name: "name_en", chinese: "英文名称", need: Need::Must },
    Column { name: "tenures", chinese: "允许的车位类别", need: Need::Must },
];

const POOLS: [Column; 6] = [
    Column { name: "id", chinese: "车位池", need: Need::Must },
    Column { name: "area", chinese: "区域", need: Need::Must },
    Column { name: "location", chinese: "车位位置", need: Need::Must },
    Column { name: "use", chinese: "车位用途", need: Need::Must },
    Column { name: "places", chinese: "车位数", need: Need::Must },
    Column { name: "from", chinese: "生效日期", need: Need::May },
];

/// The words for tenures.
const TENURES: [(&str, &str, Tenure); 3] =
    [("owned", "产权", Tenure::Owned), ("rented", "出租", Tenure::Rented), ("temporary", "临停", Tenure::Temporary)];
const LOCATIONS: [(&str, &str, Location); 3] = [
    ("open_air", "露天", Location::OpenAir),
    ("underground", "地下", Location::Underground),
    ("structure", "停车楼", Location::Structure),
];

/// The columns of the table of uses.
pub fn use_columns() -> Vec<String> {
    names(&USES)
}

/// The columns of the table of pools.
pub fn pool_columns() -> Vec<String> {
    names(&POOLS)
}

/// Uses of a table, each id once.
pub fn read_uses(table: &[Vec<String>]) -> Result<Vec<Use>, Vec<RowFault>> {
    let mut made: BTreeMap<String, Use> = BTreeMap::new();
    read_rows(table, &USES, |line| {
        let id = line.must("id", name::<crate::charging::label::UseId>);
        let (zh, en) = (line.must("name_zh", short), line.must("name_en", short));
        let tenures = line.must("tenures", |text| list(text, |one| one_of(one, &TENURES)));
        let (Some(id), Some(zh), Some(en), Some(tenures)) = (id, zh, en, tenures) else { return };
        let key = id.to_string();
        if made.insert(key, Use { id, name: Words::new(zh, en), tenures }).is_some() {
            line.fault("id", &Words::new("此用途出现两次", "this use is there twice"));
        }
    })?;
    Ok(made.into_values().collect())
}

/// The table that [`read_uses`] reads back.
pub fn export_uses<'u>(uses: impl IntoIterator<Item = &'u Use>) -> Rows {
    let mut table = vec![use_columns()];
    let mut uses: Vec<&Use> = uses.into_iter().collect();
    uses.sort_by(|a, b| a.id.cmp(&b.id));
    table.extend(uses.into_iter().map(|one| {
        let tenures: Vec<&str> = one.tenures.iter().map(|tenure| tenure.as_str()).collect();
        vec![one.id.to_string(), one.name.zh.clone(), one.name.en.clone(), tenures.join("; ")]
    }));
    table
}

/// Pools of a table; rows of one id are changes of one pool.
pub fn read_pools(
    table: &[Vec<String>],
    uses: &UseList,
    otherwise_from: NaiveDate,
    note: &Note,
) -> Result<Vec<Pool>, Vec<RowFault>> {
    let mut made: BTreeMap<PoolId, Pool> = BTreeMap::new();
    read_rows(table, &POOLS, |line| {
        let id = line.must("id", name::<PoolId>);
        let area =
            line.must("area", |text| AreaId::new(text).map_err(|fault| Words::new("区域不正确", fault.to_string())));
        let from = line.may("from", date).unwrap_or(otherwise_from);
        let Some(terms) = pool_terms(line, uses) else { return };
        let (Some(id), Some(area)) = (id, area) else { return };
        let Some(there) = made.get_mut(&id) else {
            made.insert(id.clone(), Pool { id, area, terms: Timeline::new(from, terms, note.clone()) });
            return;
        };
        if there.area != area || there.terms.changes().iter().any(|change| change.from == from) {
            let words =
                Words::new("此车位池重复，或区域不一", "this pool is there twice from one day, or has two areas");
            line.fault("id", &words);
            return;
        }
        there.terms.set(from, terms, note.clone());
    })?;
    Ok(made.into_values().collect())
}

fn pool_terms(line: &mut Line<'_>, uses: &UseList) -> Option<PoolTerms> {
    let location = line.must("location", |text| one_of(text, &LOCATIONS));
    let places = line.must("places", |text| whole(text, 0..=100_000));
    let usage = line.must("use", |text| match uses.by_word(text) {
        Some(one) if one.tenures.contains(&Tenure::Rented) => Ok(one.id.clone()),
        Some(_) => Err(Words::new("该用途不允许出租", "this use does not allow the tenure rented")),
        None => Err(Words::new("没有此用途", "there is no such use; add it to the list of uses first")),
    });
    Some(PoolTerms { places: places?, location: location?, usage: usage? })
}

/// The table that [`read_pools`] reads back: one row for each change of each pool.
pub fn export_pools<'p>(pools: impl IntoIterator<Item = &'p Pool>) -> Rows {
    let mut table = vec![pool_columns()];
    for pool in pools {
        table.extend(pool.terms.changes().iter().map(|change| {
            vec![
                pool.id.to_string(),
                pool.area.to_string(),
                change.value.location.as_str().to_owned(),
                change.value.usage.to_string(),
                change.value.places.to_string(),
                change.from.to_string(),
            ]
        }));
    }
    table
}
