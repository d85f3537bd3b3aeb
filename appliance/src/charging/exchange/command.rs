//! What `tollhouse import` and `tollhouse export` ask of the desk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tollhouse_core::record::By;

use super::run::Mode;
use super::{Imported, Kind};
use crate::charging::sheets::{Format, Sheet, read, write};
use crate::desks::{DeskCommand, Desks};

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeCommand {
    /// Take a file in; in base 64.
    Import {
        /// Of which kind.
        kind: Kind,
        /// The files: one, or those of a folder, each under the name of its table.
        files: Vec<(String, String)>,
        /// Say what would be done, and do nothing.
        dry_run: bool,
        /// Who and why.
        by: By,
    },
    /// Give a file out.
    Export {
        /// Of which kind.
        kind: Kind,
        /// Its ending: xlsx, csv, json; `csv` of an estate is a file for each table.
        ending: String,
    },
}

/// What the desk answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeAnswer {
    /// What came of an import, or would.
    Imported(Imported),
    /// Files: names and contents, in base 64.
    Exported(Vec<(String, String)>),
}

impl DeskCommand for ExchangeCommand {
    const DESK: &'static str = "exchange";
    type Answer = ExchangeAnswer;

    async fn carry_out(self, desks: &Desks) -> Result<ExchangeAnswer, String> {
        let desk = &desks.charging.exchange;
        match self {
            Self::Import { kind, files, dry_run, by } => {
                let sheets = sheets(&files)?;
                let mode = if dry_run { Mode::DryRun } else { Mode::Write };
                let imported = desk.import_sheets(&by, kind, sheets, mode).await;
                imported.map(ExchangeAnswer::Imported).map_err(|why| why.to_string())
            }
            Self::Export { kind, ending } => {
                let format = Format::of(std::path::Path::new(&format!("x.{ending}"))).map_err(|why| why.to_string())?;
                let sheets = desk.export_sheets(kind).map_err(|why| why.to_string())?;
                let file = |name: String, sheets: &[Sheet]| {
                    let bytes = write(sheets, format).map_err(|why| why.to_string())?;
                    Ok::<_, String>((name, STANDARD.encode(bytes)))
                };
                let files = if format == Format::Csv && sheets.len() > 1 {
                    let one = |sheet: &Sheet| file(format!("{}.csv", sheet.name), std::slice::from_ref(sheet));
                    sheets.iter().map(one).collect::<Result<Vec<_>, _>>()?
                } else {
                    vec![file(format!("{kind}.{ending}"), &sheets)?]
                };
                Ok(ExchangeAnswer::Exported(files))
            }
        }
    }
}

/// The tables of the files. A table without a name of its own has that of its file.
fn sheets(files: &[(String, String)]) -> Result<Vec<Sheet>, String> {
    let mut all = vec![];
    for (name, content) in files {
        let path = std::path::Path::new(name);
        let format = Format::of(path).map_err(|why| format!("{name}: {why}"))?;
        let bytes = STANDARD.decode(content).map_err(|why| format!("{name}: {why}"))?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        for mut sheet in read(&bytes, format).map_err(|why| format!("{name}: {why}"))? {
            if sheet.name.is_empty() {
                stem.clone_into(&mut sheet.name);
            }
            all.push(sheet);
        }
    }
    Ok(all)
}
