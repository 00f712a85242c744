//! The assembler parts (boot path, stubs, services) and the numbers they share with Rust.

use core::arch::global_asm;

/// CPU slots: one TSS, one ring-0 stack and one ring-3 stack each.
pub const MAX_CPUS: usize = 128;
/// Why ring 3 was entered: PVH start, Linux 64-bit start, waking from S3, application processor.
pub const START_PVH: u32 = 1;
pub const START_LINUX: u32 = 2;
pub const START_WOKEN: u32 = 3;
pub const START_AP: u32 = 4;
/// Real-mode page of the trampoline (SIPI vector 8, ACPI waking vector).
pub const TRAMPOLINE: u64 = 0x8000;
/// r11d of a `ud2` that asks for a service.
pub const MARK: u32 = 0x564d_4d21;
/// Services in `service_table`.
pub const SERVICES: u64 = 18;

const USER_STACK_SHIFT: u32 = 13;
const TSS_BITMAP: usize = MAX_CPUS * 128;
const GDT_SIZE: usize = 64 + MAX_CPUS * 16;
/// PE MP ET NE WP PG.
const CR0: u32 = 0x8001_0033;
/// PAE OSFXSR OSXMMEXCPT.
const CR4: u32 = 0x620;

global_asm!(
    include_str!("entry.s"),
    start_pvh = const START_PVH,
    start_linux = const START_LINUX,
    start_woken = const START_WOKEN,
    start_ap = const START_AP,
    max_cpus = const MAX_CPUS,
    trampoline = const TRAMPOLINE,
    user_stack_shift = const USER_STACK_SHIFT,
    user_stack = const 1usize << USER_STACK_SHIFT,
    tss_bitmap = const TSS_BITMAP,
    gdt_size = const GDT_SIZE,
    cr0 = const CR0,
    cr4 = const CR4,
    options(att_syntax)
);

global_asm!(
    include_str!("ring0.s"),
    mark = const MARK,
    services = const SERVICES,
    user_stack_shift = const USER_STACK_SHIFT,
    user_stack = const 1usize << USER_STACK_SHIFT,
    options(att_syntax)
);

/// A symbol of the linker script or of the assembler files, used for its address.
#[repr(C)]
pub struct Symbol {
    _opaque: [u8; 0],
}

impl Symbol {
    /// The symbol's address.
    pub fn address(&'static self) -> u64 {
        core::ptr::from_ref(self) as u64
    }
}

unsafe extern "C" {
    pub safe static image_start: Symbol;
    pub safe static image_end: Symbol;
    pub safe static stubs: Symbol;
    pub safe static idt: Symbol;
    pub safe static pdpt: Symbol;
    pub safe static trampoline_start: Symbol;
    pub safe static trampoline_end: Symbol;
    pub safe static ring0_inb_loop: Symbol;
    pub safe static ring0_read_loop: Symbol;
    pub safe static ring0_spin_loop: Symbol;
}
