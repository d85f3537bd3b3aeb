//! The font of documents: a file that the configuration names, or one of those that Debian's packages bring. No font is
//! part of the program.

use std::path::{Path, PathBuf};

use ttf_parser::Face;

/// Where Debian puts fonts that hold Chinese and Latin, the finest first.
pub const PLACES: [&str; 4] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/adobe/SourceHanSansCN-Regular.otf",
];
/// The largest file that is read.
const MAX_BYTES: u64 = 64 << 20;
/// What a font of documents has to hold.
const NEEDED: &str = "停车费收据壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整零负非发票（）：¥0123456789.-ABCXYZabcxyz";

/// Why a font cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// None of the usual places has one.
    #[error(
        "no font with Chinese characters is installed: apt-get install fonts-wqy-microhei (or fonts-noto-cjk), or name a \
         font file in the configuration: [invoices] font = \"/path/to/font.ttf\""
    )]
    None,
    /// The file cannot be read.
    #[error("the font {0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    /// The file is larger than any font.
    #[error("{0} is larger than 64 MiB: that is no font for documents")]
    Large(PathBuf),
    /// Not a font, or a form of it that cannot be embedded.
    #[error("{0} cannot be used as a font: {1}")]
    Form(PathBuf, String),
    /// It lacks a character that every document needs.
    #[error(
        "the font {0} lacks the character {1:?}: choose one that holds Chinese and Latin, such as wqy-microhei.ttc"
    )]
    Lacks(PathBuf, char),
}

/// A font that holds what documents need.
#[derive(Clone)]
pub struct Font {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Font {
    /// The configured file, or the first of the usual ones that will do.
    pub fn find(configured: Option<&Path>) -> Result<Self, FontError> {
        if let Some(path) = configured {
            return Self::read(path);
        }
        PLACES.iter().find_map(|place| Self::read(Path::new(place)).ok()).ok_or(FontError::None)
    }

    /// The font in this file; of a collection its first.
    pub fn read(path: &Path) -> Result<Self, FontError> {
        let file = |fault| FontError::File(path.to_owned(), fault);
        if std::fs::metadata(path).map_err(file)?.len() > MAX_BYTES {
            return Err(FontError::Large(path.to_owned()));
        }
        Self::of(path, std::fs::read(path).map_err(file)?)
    }

    /// The font in these bytes.
    pub fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, FontError> {
        let face = Face::parse(&bytes, 0).map_err(|fault| FontError::Form(path.to_owned(), fault.to_string()))?;
        if face.tables().glyf.is_none() && face.tables().cff.is_none() {
            return Err(FontError::Form(path.to_owned(), "it has neither TrueType nor CFF outlines".to_owned()));
        }
        if let Some(lacks) = NEEDED.chars().find(|c| face.glyph_index(*c).is_none()) {
            return Err(FontError::Lacks(path.to_owned(), lacks));
        }
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The file that it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn face(&self) -> Face<'_> {
        Face::parse(&self.bytes, 0).expect("it was parsed when it was read")
    }
}

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Font").field(&self.path).finish()
    }
}
