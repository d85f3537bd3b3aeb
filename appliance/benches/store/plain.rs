//! The form that was not chosen: every batch is one durable redb commit, with the journal as a table beside the rest.

use std::path::Path;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use redb::{Builder, Database, ReadableTable, TableDefinition, WriteTransaction};
use tollhouse::store::{Busy, Told};
use tollhouse_core::record::{Change, ReadError, Records, Stored, Table, resolve};

use crate::Form;

const JOURNAL: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("journal");
const BATCH: usize = 512;

/// How the file is opened after a crash, which decides what a commit costs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    Quick,
    Full,
}

type Submission = (Change, Vec<u8>, Box<dyn FnOnce(Told) + Send>);

/// A writer thread over one redb file.
pub(crate) struct Plain {
    queue: Option<Sender<Submission>>,
    writer: Option<JoinHandle<()>>,
}

impl Plain {
    pub(crate) fn open(folder: &Path, repair: Repair) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let database = Builder::new().set_cache_size(32 << 20).create(folder.join("plain.redb")).expect("opens");
        let (queue, submissions) = bounded(4096);
        let writer = std::thread::spawn(move || write(&database, &submissions, repair));
        Self { queue: Some(queue), writer: Some(writer) }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        drop(self.queue.take());
        self.writer.take().expect("joined once").join().expect("no panic");
    }
}

impl Form for Plain {
    fn submit(&self, change: Change, told: Box<dyn FnOnce(Told) + Send>) -> Result<(), Busy> {
        let json = serde_json::to_vec(&change).expect("serialises");
        self.queue.as_ref().expect("open").try_send((change, json, told)).map_err(|fault| match fault {
            TrySendError::Full(_) => Busy::Full,
            TrySendError::Disconnected(_) => Busy::Stopped,
        })
    }
}

fn write(database: &Database, submissions: &Receiver<Submission>, repair: Repair) {
    let mut position = 0;
    while let Ok(first) = submissions.recv() {
        let mut transaction = database.begin_write().expect("begins");
        transaction.set_quick_repair(repair == Repair::Quick);
        let mut outcomes = vec![];
        {
            let mut records = Open::new(&transaction);
            let mut journal = transaction.open_table(JOURNAL).expect("opens");
            let waiting = std::iter::once(first).chain(submissions.try_iter()).take(BATCH);
            for (change, json, told) in waiting {
                let outcome = resolve(&change, &records).map(|writes| {
                    position += 1;
                    journal.insert(position, json.as_slice()).expect("written");
                    for write in writes {
                        records.write(write.table, &write.key, position, write.json.as_deref());
                    }
                    position
                });
                outcomes.push((told, outcome));
            }
        }
        transaction.commit().expect("committed");
        for (told, outcome) in outcomes {
            told(match outcome {
                Ok(position) => Told::Durable { position },
                Err(refusal) => Told::Refused(refusal),
            });
        }
    }
}

/// The tables of one write transaction.
struct Open<'txn> {
    tables: Vec<redb::Table<'txn, &'static str, &'static [u8]>>,
}

impl<'txn> Open<'txn> {
    fn new(transaction: &'txn WriteTransaction) -> Self {
        let open = |table: &Table| transaction.open_table(TableDefinition::new(table.name())).expect("opens");
        Self { tables: Table::ALL.iter().map(open).collect() }
    }

    fn write(&mut self, table: Table, key: &str, revision: u64, json: Option<&str>) {
        let rows = &mut self.tables[table as usize];
        match json {
            Some(json) => {
                let mut value = revision.to_le_bytes().to_vec();
                value.extend_from_slice(&crc32c::crc32c(json.as_bytes()).to_le_bytes());
                value.extend_from_slice(json.as_bytes());
                rows.insert(key, value.as_slice()).expect("written");
            }
            None => {
                rows.remove(key).expect("removed");
            }
        }
    }
}

impl Records for Open<'_> {
    fn stored(&self, table: Table, key: &str) -> Result<Option<Stored>, ReadError> {
        let value = self.tables[table as usize].get(key).expect("readable");
        Ok(value.map(|value| {
            let (revision, rest) = value.value().split_first_chunk::<8>().expect("whole");
            let json = std::str::from_utf8(&rest[4..]).expect("UTF-8").to_owned();
            Stored { revision: u64::from_le_bytes(*revision), json }
        }))
    }

    fn range(&self, _: Table, _: &str, _: usize) -> Result<Vec<(String, Stored)>, ReadError> {
        unreachable!("the bench lists nothing")
    }
}
