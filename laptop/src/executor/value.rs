//! Values while a program runs.

use super::Fault;
use crate::ipc::{Picture, PictureFormat};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_TEXT_LEN;
use shared_proto::picture::Format;
use std::fs::File;
use std::io::{Read, Seek};

/// Most octets that are held in memory for an operation that needs the whole: what the service protocol takes
/// as the source of a picture.
const MAX_IN_MEMORY: u64 = 16 << 20;

/// Octets read from a file at a time.
const PIECE_LEN: usize = 64 * 1024;

/// Octets, in memory or in a file of the daemon's own.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file that nobody else writes.
    File(File),
}

impl Content {
    /// How many there are.
    ///
    /// # Errors
    /// A [`Fault`] of the disk.
    pub fn len(&self) -> Result<u64, Fault> {
        match self {
            Self::Memory(bytes) => Ok(bytes.len() as u64),
            Self::File(file) => file
                .metadata()
                .map(|data| data.len())
                .map_err(|error| Fault::disk(&error)),
        }
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// A [`Fault`] of the disk.
    pub fn is_empty(&self) -> Result<bool, Fault> {
        self.len().map(|len| len == 0)
    }

    /// All of them at once.
    ///
    /// # Errors
    /// `TooLarge` above 16 MiB, or a [`Fault`] of the disk.
    pub fn read(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File(_) => {
                let len = self.len()?;
                if len > MAX_IN_MEMORY {
                    return Err(Fault::new(
                        ErrorCode::TooLarge,
                        format!("{len} octets are too many for this"),
                    ));
                }
                let mut whole = Vec::with_capacity(len as usize);
                self.for_each(|piece| {
                    whole.extend_from_slice(piece);
                    Ok(())
                })?;
                Ok(whole)
            }
        }
    }

    /// Calls `visit` with every octet, in pieces.
    ///
    /// # Errors
    /// What `visit` returns, or a [`Fault`] of the disk.
    pub fn for_each(&self, mut visit: impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        match self {
            Self::Memory(bytes) => bytes.chunks(PIECE_LEN).try_for_each(visit),
            Self::File(file) => {
                let mut file = file;
                file.rewind().map_err(|error| Fault::disk(&error))?;
                let mut piece = vec![0; PIECE_LEN];
                loop {
                    match file.read(&mut piece).map_err(|error| Fault::disk(&error))? {
                        0 => return Ok(()),
                        len => visit(&piece[..len])?,
                    }
                }
            }
        }
    }

    /// A second handle on the same octets.
    ///
    /// # Errors
    /// A [`Fault`] of the disk.
    pub fn duplicate(&self) -> Result<Self, Fault> {
        match self {
            Self::Memory(bytes) => Ok(Self::Memory(bytes.clone())),
            Self::File(file) => file
                .try_clone()
                .map(Self::File)
                .map_err(|error| Fault::disk(&error)),
        }
    }
}

/// A picture: as the handheld gets it, and as it was made.
#[derive(Clone, Debug)]
pub struct Painting {
    /// As [`shared_proto::picture`] says.
    pub wire: Vec<u8>,
    /// A file in its format.
    pub original: Vec<u8>,
    /// That format's usual ending.
    pub ending: &'static str,
}

impl From<Picture> for Painting {
    fn from(picture: Picture) -> Self {
        let mut wire = Vec::with_capacity(picture.fitted.len() + 5);
        match picture.format {
            PictureFormat::Jpeg => wire.push(Format::Jpeg as u8),
            PictureFormat::Png => wire.push(Format::Png as u8),
            PictureFormat::WebP => wire.push(Format::WebP as u8),
            PictureFormat::Rgb565Zstd => {
                wire.push(Format::Rgb565 as u8);
                wire.extend_from_slice(&picture.width.to_le_bytes());
                wire.extend_from_slice(&picture.height.to_le_bytes());
            }
        }
        wire.extend_from_slice(&picture.fitted);
        let ending = match picture.original_format {
            PictureFormat::Jpeg => "jpg",
            PictureFormat::WebP => "webp",
            PictureFormat::Png | PictureFormat::Rgb565Zstd => "png",
        };
        Self {
            wire,
            original: picture.original,
            ending,
        }
    }
}

/// The result of an operation.
#[derive(Debug)]
pub enum Value {
    /// UTF-8 text.
    Text(String),
    /// Octets.
    Bytes(Content),
    /// A number.
    Int(u64),
    /// A picture.
    Image(Painting),
    /// An encoded record.
    Record(Vec<u8>),
}

impl Value {
    /// The value as text.
    pub(super) fn to_text(&self) -> Result<String, Fault> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Int(value) => Ok(value.to_string()),
            Self::Bytes(content) => text_of(content.read()?),
            Self::Image(_) | Self::Record(_) => {
                Err(Fault::new(ErrorCode::TypeMismatch, "this is not a text"))
            }
        }
    }

    /// The value as octets; a picture as its original.
    pub(super) fn to_octets(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Text(text) => Ok(text.as_bytes().to_vec()),
            Self::Int(value) => Ok(value.to_string().into_bytes()),
            Self::Bytes(content) => content.read(),
            Self::Image(painting) => Ok(painting.original.clone()),
            Self::Record(record) => Ok(record.clone()),
        }
    }

    /// Hands the value to `send` as it travels to the handheld.
    pub(super) fn send(
        &self,
        mut send: impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self {
            Self::Text(text) => send(text.as_bytes()),
            Self::Int(value) => send(value.to_string().as_bytes()),
            Self::Bytes(content) => content.for_each(send),
            Self::Image(painting) => send(&painting.wire),
            Self::Record(record) => send(record),
        }
    }
}

/// Octets as text.
pub(super) fn text_of(bytes: Vec<u8>) -> Result<String, Fault> {
    if bytes.len() as u64 > MAX_TEXT_LEN {
        return Err(Fault::new(
            ErrorCode::TooLarge,
            "the text is longer than a text may be",
        ));
    }
    String::from_utf8(bytes)
        .map_err(|_| Fault::new(ErrorCode::TypeMismatch, "the octets are not UTF-8 text"))
}
