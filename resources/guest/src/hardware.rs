//! Port and physical-memory access (memory is mapped one to one), TSC.

use core::arch::asm;

macro_rules! port_access {
    ($read:ident, $write:ident, $type:ty, $register:tt, $suffix:literal) => {
        /// One port read of this width.
        pub fn $read(port: u16) -> $type {
            let value: $type;
            // SAFETY: port access is what this program is for; it touches no Rust object.
            unsafe {
                asm!(concat!("in ", $suffix, ", dx"), out($register) value, in("dx") port, options(nomem, nostack, preserves_flags));
            }
            value
        }

        /// One port write of this width.
        pub fn $write(port: u16, value: $type) {
            // SAFETY: as above.
            unsafe {
                asm!(concat!("out dx, ", $suffix), in($register) value, in("dx") port, options(nostack, preserves_flags));
            }
        }
    };
}

port_access!(inb, outb, u8, "al", "al");
port_access!(inw, outw, u16, "ax", "ax");
port_access!(inl, outl, u32, "eax", "eax");

macro_rules! memory_access {
    ($read:ident, $write:ident, $type:ty, $register:tt, $name:literal) => {
        /// One memory read of this width.
        pub fn $read(address: u64) -> $type {
            let value: $type;
            // SAFETY: exactly one access of this width, to memory or a device; a fault is reported and ends the action.
            unsafe {
                asm!(concat!("mov ", $name, ", [rsi]"), out($register) value, in("rsi") address, options(nostack, preserves_flags));
            }
            value
        }

        /// One memory write of this width.
        pub fn $write(address: u64, value: $type) {
            // SAFETY: as above; callers keep away from the program's own image.
            unsafe {
                asm!(concat!("mov [rsi], ", $name), in($register) value, in("rsi") address, options(nostack, preserves_flags));
            }
        }
    };
}

memory_access!(read8, write8, u8, "al", "al");
memory_access!(read16, write16, u16, "ax", "ax");
memory_access!(read32, write32, u32, "eax", "eax");
memory_access!(read64, write64, u64, "rax", "rax");

/// Time-stamp counter.
pub fn tsc() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter.
    unsafe {
        asm!("rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags))
    };
    u64::from(high) << 32 | u64::from(low)
}

/// A hint to the CPU inside a waiting loop.
pub fn pause() {
    core::hint::spin_loop();
}
