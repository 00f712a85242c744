# Ring-0 boot path (AT&T syntax): the two entries, the way back from S3, the start of an application processor.
# All four meet at enter64 with
#   edi = argument (PVH start info or boot_params address), esi = why we are here (START_*), ebp = CPU slot
# and leave for ring 3 with iretq. Nothing here is executed twice per CPU; ring 0 may cost 0.5 us an instruction.

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18                      # name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_entry

    .section .boot, "ax"
    .code32
pvh_entry:                              # 32-bit flat protected mode, paging off, EBX = hvm_start_info
    cli
    cld
    movl %ebx, %edi
    movl ${start_pvh}, %esi
    xorl %ebp, %ebp
enter_long:
    lgdtl gdt_pointer
    movl ${cr4}, %eax
    movl %eax, %cr4
    movl $pml4, %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx              # EFER.LME
    movl $0x100, %eax
    xorl %edx, %edx
    wrmsr
    movl ${cr0}, %eax
    movl %eax, %cr0
    ljmpl $0x10, $enter64

trampoline32:                           # from the real-mode trampoline: flat 32-bit code segment
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %ebp, %ebp
    movl ${start_woken}, %esi
    cmpl $0, trampoline_wakes
    jne enter_long
    movl 0xFEE00020, %eax               # an AP: its slot by its local APIC id
    shrl $24, %eax
    movzbl slot_of_apic(%eax), %ebp
    movl ${start_ap}, %esi
    testl %ebp, %ebp
    jnz enter_long
1:  cli                                 # not in the MADT
    hlt
    jmp 1b

    .code64
    .globl linux_entry
linux_entry:                            # 64-bit Linux boot protocol, RSI = boot_params
    cli
    cld
    movl %esi, %edi
    movl ${start_linux}, %esi
    xorl %ebp, %ebp
    lgdt gdt_pointer
    movl ${cr4}, %eax
    movq %rax, %cr4
    movl $pml4, %eax
    movq %rax, %cr3
    movl ${cr0}, %eax
    movq %rax, %cr0
enter64:
    movl %ebp, %eax                     # this slot's TSS: stack for ring 0, offset of the shared I/O bitmap
    shll $10, %eax
    leaq ring0_stacks+1024(%rax), %rsp
    movl %ebp, %ebx
    shll $7, %ebx
    leaq tss(%rbx), %rdx
    movq %rsp, 4(%rdx)
    movl ${tss_bitmap}, %ecx
    subl %ebx, %ecx
    movw %cx, 102(%rdx)
    addl $8192, %ecx                    # limit: the bitmap and the byte after it
    movl %ebp, %ebx
    shll $4, %ebx                       # its descriptor, written each time: ltr has marked the last one busy
    movw %cx, gdt+0x40(%rbx)
    movl %edx, gdt+0x42(%rbx)           # base 23:0 (the image lies below 16 MiB), base 31:24 overwritten below
    movw $0x89, gdt+0x45(%rbx)          # available TSS, limit 19:16 = 0
    movb $0, gdt+0x47(%rbx)
    movq $0, gdt+0x48(%rbx)
    addl $0x40, %ebx
    lidt idt_pointer
    ltr %bx
    movl $0x2b, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ebp, %edx
    shll ${user_stack_shift}, %edx
    leaq user_stacks+{user_stack}-8(%rdx), %rdx
    pushq $0x2b
    pushq %rdx
    pushq $0x3002                       # IOPL 3, interrupts off
    pushq $0x33
    pushq $start3
    iretq

# Ring 3 from here.
start3:
    cmpl ${start_woken}, %esi
    jae 2f
    movl %edi, %edx                     # a fresh start: clear .bss whatever the loader left
    movl $bss_start, %edi
    movl $bss_end, %ecx
    subl %edi, %ecx
    shrl $3, %ecx
    xorl %eax, %eax
    rep stosq
    movl %edx, %edi
2:  movl %ebp, %edx
    jmp ring3_main                      # (argument, why, slot)

# The real-mode trampoline, copied to {trampoline}: SIPI and the ACPI waking vector arrive here with IP = 0.
    .section .rodata.trampoline, "a"
    .globl trampoline_start
    .globl trampoline_end
trampoline_start:
    .code16
    cli
    movw %cs, %ax
    movw %ax, %ds
    lgdtl trampoline_gdt - trampoline_start
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x08, $trampoline32
    .balign 4
trampoline_gdt:
    .word {gdt_size} - 1
    .long gdt
trampoline_end:
    .code64

    .section .tables, "aw"
    .balign 4096
pml4:
    .quad pdpt + 7
    .fill 511, 8, 0
    .globl pdpt
pdpt:                                   # GiB 0 is mapped from the start, others when first wanted (paging.rs)
    .quad pd0 + 7
    .fill 511, 8, 0
pd0:
    .set page, 0
    .rept 512
    .quad page * 0x200000 + 0x87        # present, writable, user, 2 MiB
    .set page, page + 1
    .endr
    .balign 16
gdt:                                    # Linux's selectors
    .quad 0
    .quad 0x00cf9b000000ffff            # 08 ring-0 code, 32 bit
    .quad 0x00af9b000000ffff            # 10 ring-0 code, 64 bit
    .quad 0x00cf93000000ffff            # 18 ring-0 data
    .quad 0x00cffb000000ffff            # 23 ring-3 code, 32 bit
    .quad 0x00cff3000000ffff            # 2b ring-3 data
    .quad 0x00affb000000ffff            # 33 ring-3 code, 64 bit
    .quad 0
    .fill {max_cpus} * 2, 8, 0          # 40 + 16 * slot: TSS
gdt_pointer:
    .word {gdt_size} - 1
    .quad gdt
    .balign 8
    .globl idt_pointer
idt_pointer:
    .word 4095
    .quad idt
    .globl trampoline_wakes
    .globl slot_of_apic
    .balign 4
trampoline_wakes: .long 0
slot_of_apic: .fill 256, 1, 0

    .section .noinit, "aw", @nobits
    .balign 4096
    .globl idt
idt: .skip 4096
tss: .skip {tss_bitmap} + 8192 + 8      # 128 bytes a slot, then one all-clear I/O bitmap for every slot
    .balign 4096
    .globl ring0_stacks
ring0_stacks: .skip {max_cpus} * 1024   # aligned to their size: ring0.s finds the top by or-ing 1023
    .globl user_stacks
    .balign 4096
user_stacks: .skip {max_cpus} * {user_stack}
