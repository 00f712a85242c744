//! The smallest guests: a few instructions of one's own.

/// An ELF file with a PVH entry at 1 MiB that runs `code` in 32-bit mode without paging.
pub fn pvh_image(code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x10_0000;
    const HEADERS: u64 = 64 + 2 * 56;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let mut put = |bytes: &[u8]| file.extend_from_slice(bytes);
    // Executable, x86-64, version; entry, program headers, section headers; flags and sizes.
    put(&[2, 0, 62, 0, 1, 0, 0, 0]);
    [BASE, 64, 0].iter().for_each(|word| put(&word.to_le_bytes()));
    put(&[0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    let note = HEADERS + code.len() as u64;
    let segments = [(1_u32, HEADERS, BASE, code.len() as u64), (4, note, 0, 20)];
    for (kind, offset, address, size) in segments {
        put(&kind.to_le_bytes());
        put(&7_u32.to_le_bytes());
        [offset, address, address, size, size, 1].iter().for_each(|word| put(&word.to_le_bytes()));
    }
    put(code);
    // The note: sizes of name and value, type 18, "Xen", the entry.
    [4_u32, 4, 18].iter().for_each(|word| put(&word.to_le_bytes()));
    put(b"Xen\0");
    put(&(BASE as u32).to_le_bytes());
    file
}
