//! What a library's file says about itself, read without loading it: for which machine, what it needs, what it exports.
//!
//! It owns the words for who installed a file that cannot work here. Bytes may be anything: all reading is bounded. It must
//! not run anything; that a file passes here is no reason to trust it.

use object::LittleEndian;
use object::elf::{DT_NEEDED, FileHeader64, SHN_UNDEF, SHT_DYNSYM};
use object::read::elf::{FileHeader, SectionTable, Sym};

type Header = FileHeader64<LittleEndian>;
type Sections<'a> = SectionTable<'a, Header, &'a [u8]>;

/// At most so many symbols, libraries or versions are looked at: a hundred times what large drivers have.
const MOST_LOOKED_AT: usize = 200_000;
/// What every exported table's name begins with.
const SYMBOL_STEM: &[u8] = b"tollhouse_driver_v";
/// What a driver may expect on a box: the C library's own parts, and those of the compilers.
const ON_EVERY_BOX: [&str; 12] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libresolv.so.2",
    "libutil.so.1",
    "libanl.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// A version of the C library.
pub(super) type Glibc = (u32, u32);

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// The newest version of glibc that it names.
    glibc: Option<Glibc>,
    /// Whether it reaches into glibc's private parts, which change with every release.
    private: Option<String>,
    /// The libraries that the loader has to find.
    libraries: Vec<String>,
    /// The ABI majors that it has a table for.
    majors: Vec<u32>,
}

/// What the first bytes of a file say against its being a library for this machine (System V ABI, 'ELF Header').
pub(super) fn not_a_library(bytes: &[u8]) -> Option<&'static str> {
    const SHARED_OBJECT: u16 = 3;
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    if bytes.len() >= 4 && !bytes.starts_with(b"\x7fELF") {
        return Some("it is no shared library (it does not begin as an ELF file does)");
    }
    let Some(head) = bytes.first_chunk::<20>() else { return Some("it is too short to be a shared library") };
    let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    if head[4] != 2 || head[5] != 1 {
        Some("it is not built for a 64-bit little-endian machine")
    } else if half(16) != SHARED_OBJECT {
        Some("it is an ELF file, yet no shared library")
    } else if half(18) != machine {
        Some("it is built for another kind of processor")
    } else {
        None
    }
}

/// Reads a library's account of itself; in words, why there is none.
pub(super) fn account(bytes: &[u8]) -> Result<Account, String> {
    let broken = |fault: object::read::Error| format!("its ELF tables are damaged ({fault})");
    let header = Header::parse(bytes).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let sections = header.sections(endian, bytes).map_err(broken)?;
    let (glibc, private) = versions(&sections, endian, bytes).map_err(broken)?;
    Ok(Account {
        glibc,
        private,
        libraries: libraries(&sections, endian, bytes).map_err(broken)?,
        majors: majors(&sections, endian, bytes).map_err(broken)?,
    })
}

fn libraries(sections: &Sections<'_>, endian: LittleEndian, bytes: &[u8]) -> object::read::Result<Vec<String>> {
    let table = sections.dynamic_table(endian, bytes)?;
    let needed = table.iter().take(MOST_LOOKED_AT).filter(|entry| entry.tag == DT_NEEDED);
    needed.map(|entry| table.string(entry).map(|name| String::from_utf8_lossy(name).into_owned())).collect()
}

fn versions(
    sections: &Sections<'_>,
    endian: LittleEndian,
    bytes: &[u8],
) -> object::read::Result<(Option<Glibc>, Option<String>)> {
    let (mut newest, mut private) = (None, None);
    let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? else { return Ok((newest, private)) };
    let strings = sections.strings(endian, bytes, link)?;
    let mut looked_at = 0;
    while let Some((_, mut names)) = needs.next()? {
        while let Some(name) = names.next()? {
            looked_at += 1;
            if looked_at > MOST_LOOKED_AT {
                return Ok((newest, private));
            }
            let name = String::from_utf8_lossy(name.name(endian, strings)?).into_owned();
            newest = newest.max(glibc_version(&name));
            if name == "GLIBC_PRIVATE" {
                private = Some(name);
            }
        }
    }
    Ok((newest, private))
}

/// `GLIBC_2.34` and `GLIBC_2.2.5`; the marker for packed relocations came with 2.36.
fn glibc_version(name: &str) -> Option<Glibc> {
    let version = name.strip_prefix("GLIBC_")?;
    if version == "ABI_DT_RELR" {
        return Some((2, 36));
    }
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn majors(sections: &Sections<'_>, endian: LittleEndian, bytes: &[u8]) -> object::read::Result<Vec<u32>> {
    let table = sections.symbols(endian, bytes, SHT_DYNSYM)?;
    let exported = table.iter().take(MOST_LOOKED_AT).filter(|symbol| symbol.st_shndx(endian) != SHN_UNDEF);
    let names = exported.filter_map(|symbol| table.symbol_name(endian, symbol).ok());
    let majors = names.filter_map(|name| std::str::from_utf8(name.strip_prefix(SYMBOL_STEM)?).ok()?.parse().ok());
    Ok(majors.collect())
}

impl Account {
    /// What says, in words, that such a library cannot work on a box with this glibc and this ABI major.
    pub(super) fn unfit(&self, glibc: Option<Glibc>, major: u32) -> Option<String> {
        let strange: Vec<&str> =
            self.libraries.iter().map(String::as_str).filter(|name| !ON_EVERY_BOX.contains(name)).collect();
        if let Some(musl) = strange.iter().find(|name| name.contains("musl")) {
            return Some(format!("it is built for another C library ({musl}); this box has glibc"));
        }
        if let (Some(needs), Some(has)) = (self.glibc, glibc)
            && needs > has
        {
            return Some(format!(
                "it is too new for this box: it needs glibc {}.{}, and here is {}.{}; its vendor has to build it on an older system",
                needs.0, needs.1, has.0, has.1
            ));
        }
        if let Some(private) = &self.private {
            return Some(format!("it uses what glibc keeps for itself ({private}), and would break with any update"));
        }
        if !strange.is_empty() {
            let names = strange.join(", ");
            return Some(format!(
                "it needs other libraries ({names}); a driver is one file: its vendor has to link them in"
            ));
        }
        match self.majors.iter().max() {
            _ if self.majors.contains(&major) => None,
            Some(other) if *other > major => Some(format!(
                "it is too new for this box: it is built for version {other} of the driver ABI, and here is {major}"
            )),
            Some(other) => Some(format!(
                "it is too old for this box: it is built for version {other} of the driver ABI, and here is {major}"
            )),
            None => Some(format!("it does not export tollhouse_driver_v{major}, so it is no driver")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sound() -> Account {
        Account { glibc: Some((2, 34)), private: None, libraries: vec!["libc.so.6".to_owned()], majors: vec![1] }
    }

    #[test]
    fn a_library_that_cannot_work_here_is_told_in_words() {
        let library = |name: &str| Account { libraries: vec!["libm.so.6".to_owned(), name.to_owned()], ..sound() };
        let cases = [
            (sound(), None),
            (Account { glibc: None, ..sound() }, None),
            (Account { glibc: Some((2, 37)), ..sound() }, Some("too new for this box: it needs glibc 2.37")),
            (Account { private: Some("GLIBC_PRIVATE".to_owned()), ..sound() }, Some("keeps for itself")),
            (library("libstdc++.so.6"), None),
            (library("libcurl.so.4"), Some("needs other libraries (libcurl.so.4)")),
            (library("libc.musl-x86_64.so.1"), Some("another C library")),
            (Account { majors: vec![2], ..sound() }, Some("too new for this box: it is built for version 2")),
            (Account { majors: vec![0], ..sound() }, Some("too old for this box: it is built for version 0")),
            (Account { majors: vec![1, 2], ..sound() }, None),
            (Account { majors: vec![], ..sound() }, Some("does not export tollhouse_driver_v1")),
        ];
        for (account, words) in cases {
            let unfit = account.unfit(Some((2, 36)), 1);
            match words {
                None => assert_eq!(unfit, None, "{account:?}"),
                Some(words) => assert!(unfit.as_ref().is_some_and(|said| said.contains(words)), "{unfit:?}: {words}"),
            }
        }
    }

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        assert!(glibc_version("GLIBC_2.10") > glibc_version("GLIBC_2.9"));
        assert_eq!(glibc_version("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc_version("GLIBC_ABI_DT_RELR"), Some((2, 36)));
        assert_eq!((glibc_version("CXXABI_1.3"), glibc_version("GLIBC_PRIVATE")), (None, None));
    }

    #[test]
    fn this_very_program_gives_an_account_of_itself() {
        let bytes = std::fs::read(std::env::current_exe().expect("a program")).expect("readable");
        let account = account(&bytes).expect("an account");
        assert!(account.glibc >= Some((2, 2)) && account.libraries.contains(&"libc.so.6".to_owned()), "{account:?}");
        assert!(account.unfit(Some((99, 0)), 1).expect("no driver").contains("does not export"));
    }

    proptest! {
        #[test]
        fn any_bytes_behind_an_elf_header_are_read_or_refused(
            places in prop::collection::vec((0_usize..4096, any::<u8>()), 0..64)
        ) {
            let mut bytes = vec![0; 4096];
            bytes[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0");
            for (place, byte) in places {
                bytes[place] = byte;
            }
            let _ = (not_a_library(&bytes), account(&bytes));
        }
    }
}
