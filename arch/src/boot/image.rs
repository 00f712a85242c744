//! A file that is loaded into guest memory, or bytes that are used like one.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be opened.
    #[error("could not open '{name}': {}", reason(error))]
    Open {
        /// The file.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It is a directory, a pipe, a device.
    #[error("'{name}' is not a regular file")]
    NotRegular {
        /// The file.
        name: String,
    },
    /// It cannot be read, or is shorter than it was.
    #[error("could not read '{name}': {error}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        error: String,
    },
}

/// Bytes with a name for messages and a length that is known.
#[derive(Debug)]
pub struct Image {
    name: String,
    length: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File(File),
    Bytes(Cow<'static, [u8]>),
}

impl Image {
    /// Opens a file for reading. Only regular files have a size and can be read again.
    ///
    /// # Errors
    ///
    /// When there is no such file, it may not be read, or it is not a regular file.
    pub fn open(path: &Path) -> Result<Image, ImageError> {
        let name = path.display().to_string();
        let open = |error| ImageError::Open { name: name.clone(), error };
        // Opening a FIFO waits for a writer: look first.
        if !std::fs::metadata(path).map_err(open)?.is_file() {
            return Err(ImageError::NotRegular { name });
        }
        let file = File::open(path).map_err(open)?;
        Image::from_file(file, name)
    }

    /// Uses an open file, whose position is not kept.
    ///
    /// # Errors
    ///
    /// When it is not a regular file.
    pub fn from_file(file: File, name: String) -> Result<Image, ImageError> {
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => {
                Ok(Image { name, length: metadata.len(), content: Content::File(file) })
            }
            Ok(_) => Err(ImageError::NotRegular { name }),
            Err(error) => Err(ImageError::Open { name, error }),
        }
    }

    /// Uses bytes in memory, `name` stands for them in messages.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>, name: &str) -> Image {
        let bytes = bytes.into();
        Image { name: name.to_owned(), length: bytes.len() as u64, content: Content::Bytes(bytes) }
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes it had when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` from `offset` on; what lies after the end reads as zeros.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ImageError> {
        buffer.fill(0);
        let n = self.length.saturating_sub(offset).min(buffer.len() as u64) as usize;
        let buffer = &mut buffer[..n];
        match &self.content {
            Content::File(file) => {
                file.read_exact_at(buffer, offset).map_err(|e| self.read_error(&e))
            }
            Content::Bytes(bytes) => {
                if n > 0 {
                    buffer.copy_from_slice(&bytes[offset as usize..][..n]);
                }
                Ok(())
            }
        }
    }

    /// `size` bytes from `offset` on, which the caller knows to be a size that may be allocated.
    ///
    /// # Errors
    ///
    /// When the file does not have them any more.
    pub(super) fn part(&self, offset: u64, size: u64) -> Result<Cow<'static, [u8]>, ImageError> {
        if let Content::Bytes(Cow::Borrowed(bytes)) = &self.content {
            let end = offset.saturating_add(size).min(self.length) as usize;
            return Ok(Cow::Borrowed(&bytes[(offset as usize).min(end)..end]));
        }
        let mut bytes = vec![0; size as usize];
        self.read(offset, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    fn read_error(&self, error: &dyn std::fmt::Display) -> ImageError {
        ImageError::Read { name: self.name.clone(), error: reason(error) }
    }
}

/// The system's words without their number.
fn reason(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
