//! A firmware image (`-bios`): where the reset vector finds it.

use std::path::Path;

use super::image::{Image, ImageError};
use crate::layout;

/// Sizes are multiples of this.
const GRANULE: u64 = 64 * layout::KIB;

/// Why a firmware image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FirmwareError {
    /// Its size is not a multiple of 64 KiB from 64 KiB to 16 MiB.
    #[error(
        "could not load firmware '{name}': its size is {size}, not a multiple of 64 KiB up to 16 MiB"
    )]
    Size {
        /// The file.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The file cannot be opened or read.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// A firmware image, in memory because it is read-only memory of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    bytes: Vec<u8>,
}

impl Firmware {
    /// Reads an image.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or has a wrong size.
    pub fn open(path: &Path) -> Result<Firmware, FirmwareError> {
        Firmware::read(&Image::open(path)?)
    }

    /// Reads an image that is open already.
    ///
    /// # Errors
    ///
    /// When it cannot be read or has a wrong size.
    pub fn read(image: &Image) -> Result<Firmware, FirmwareError> {
        let size = image.length();
        if size == 0 || size > layout::MAX_FIRMWARE || !size.is_multiple_of(GRANULE) {
            let name = image.name().to_owned();
            return Err(FirmwareError::Size { name, size });
        }
        let mut bytes = vec![0; size as usize];
        image.read(0, &mut bytes)?;
        Ok(Firmware { bytes })
    }

    /// The image and its address: it ends at 4 GiB.
    pub fn rom(&self) -> (u64, &[u8]) {
        let start = layout::HIGH_RAM_START - self.bytes.len() as u64;
        (start, &self.bytes)
    }

    /// The end of the image (at most 128 KiB) and the address where it is visible below 1 MiB,
    /// where it ends.
    pub fn alias(&self) -> (u64, &[u8]) {
        let size = self.bytes.len().min(layout::FIRMWARE_ALIAS as usize);
        let end = &self.bytes[self.bytes.len() - size..];
        (layout::EXTENDED - size as u64, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(size: u64) -> Image {
        let bytes: Vec<u8> = (0..size).map(|n| (n >> 16) as u8).collect();
        Image::from_bytes(bytes, "bios.bin")
    }

    #[test]
    fn ends_at_both_places() {
        for (size, start, alias) in [
            (0x1_0000, 0xffff_0000, 0xf_0000),
            (0x4_0000, 0xfffc_0000, 0xe_0000),
            (0x100_0000, 0xff00_0000, 0xe_0000),
        ] {
            let firmware = Firmware::read(&image(size)).unwrap();
            let (rom, low) = (firmware.rom(), firmware.alias());
            assert_eq!((rom.0, low.0), (start, alias));
            assert_eq!(rom.0 + rom.1.len() as u64, 1 << 32);
            assert_eq!(low.0 + low.1.len() as u64, 1 << 20);
            assert!(rom.1.ends_with(low.1));
        }
    }

    #[test]
    fn wrong_sizes_are_refused() {
        for size in [0, 1, 0xffff, 0x1_8000, 0x101_0000] {
            let error = Firmware::read(&image(size)).unwrap_err().to_string();
            assert!(error.contains("bios.bin") && error.contains(&size.to_string()));
        }
        assert!(Firmware::open(Path::new("/dev/zero")).is_err());
    }
}
