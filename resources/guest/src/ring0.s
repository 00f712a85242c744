# Ring 0 after boot: exception, interrupt and NMI stubs, and the services that ring 3 asks for with ud2.
# Every stub stays below 20 instructions. Interrupts are off throughout, except in svc_wait and svc_call.

    .text
    .balign 16
    .globl stubs
stubs:                                  # 256 stubs, 16 bytes apart (interrupts.rs fills the IDT from this)
    .set vector, 0
    .rept 256
    .balign 16
    .if vector == 2
    jmp nmi
    .elseif vector == 6
    jmp undefined
    .elseif vector >= 32
    pushq $vector
    jmp interrupt
    .else
    .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
    pushq $0
    .endif
    pushq $vector
    jmp exception
    .endif
    .set vector, vector + 1
    .endr
    .balign 16

nmi:
    lock incq nmi_count
    lock incq events
    iretq

interrupt:
    pushq %rax
    movq 8(%rsp), %rax
    movl %eax, last_vector
    lock incq vector_counts(,%rax,8)
    lock incq events
    movzbl level_registers(%rax), %eax
    testl %eax, %eax
    jne 2f
1:  movl $0xFEE000B0, %eax              # EOI
    movl $0, (%rax)
    popq %rax
    addq $8, %rsp
    iretq
2:  pushq %rdx                          # level triggered: mask it in the IOAPIC until ring 3 has dealt with it
    movq ioapic_base, %rdx
    movl %eax, (%rdx)
    orl $0x10000, 16(%rdx)
    popq %rdx
    jmp 1b

exception:                              # vector, error code, then the processor's frame
    testb $3, 24(%rsp)
    jz 1f
    movq (%rsp), %rdi
    movq 8(%rsp), %rsi
    movq 16(%rsp), %rdx
    movq %cr2, %rcx
    movq 40(%rsp), %r8
    addq $16, %rsp
    movq %rsp, %r9
    movq $fault3, (%rsp)
    movq $0x3202, 16(%rsp)
    iretq
1:  movl (%rsp), %edx                   # a service faulted: answer error code and 0x100 + vector
    orl $0x100, %edx
    movq 8(%rsp), %rax
    orq $1023, %rsp
    subq $39, %rsp                      # the frame with which ring 3 came in
    iretq

fault3:                                 # ring 3: (vector, error, rip, cr2, rsp, slot) on a fresh stack
    subq $ring0_stacks, %r9
    shrq $10, %r9
    movq %r9, %rax
    shlq ${user_stack_shift}, %rax
    leaq user_stacks+{user_stack}-8(%rax), %rsp
    jmp ring3_fault

undefined:                              # ud2 in ring 3 with the mark in r11d: service eax, arguments rdi, rsi, r8
    testb $3, 8(%rsp)
    jz 1f
    cmpl ${mark}, %r11d
    jne 1f
    cmpl ${services}, %eax
    jae 1f
    addq $2, (%rsp)
    xorl %edx, %edx
    jmpq *service_table(,%rax,8)
1:  pushq $0
    pushq $6
    jmp exception

svc_wait:                               # sleep unless *rdi has moved on from rsi
    cmpq %rsi, (%rdi)
    jne 1f
    sti
    hlt
    cli
1:  iretq
svc_cli:
    andl $~0x200, 16(%rsp)
    iretq
svc_sti:
    orl $0x200, 16(%rsp)
    iretq
svc_rdmsr:
    movl %edi, %ecx
    rdmsr
    shlq $32, %rdx
    orq %rdx, %rax
    xorl %edx, %edx
    iretq
svc_wrmsr:
    movl %edi, %ecx
    movl %esi, %eax
    movq %rsi, %rdx
    shrq $32, %rdx
    wrmsr
    xorl %edx, %edx
    iretq
svc_cr0: movq %cr0, %rax
    iretq
svc_cr2: movq %cr2, %rax
    iretq
svc_cr3: movq %cr3, %rax
    iretq
svc_cr4: movq %cr4, %rax
    iretq
svc_cr8: movq %cr8, %rax
    iretq
svc_set_cr4: movq %rdi, %cr4
    iretq
svc_cpuid:                              # eax, r8d (ebx), ecx, edx
    movq %rbx, %r9
    movl %edi, %eax
    movl %esi, %ecx
    cpuid
    movl %ebx, %r8d
    movq %r9, %rbx
    iretq
svc_invlpg: invlpg (%rdi)
    iretq
svc_triple:
    lidt null_idt
    ud2
svc_halt:                               # interrupts off: only an NMI or a reset ends this, and an NMI sleeps again
    hlt
    jmp svc_halt
svc_call:                               # rdi(rsi, r8), interrupts on
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %r8, %rsi
    sti
    callq *%rax
    cli
    xorl %edx, %edx
    iretq
svc_popcnt: popcntq %rdi, %rax
    iretq
svc_jump: jmpq *%rdi

    .globl ring0_inb_loop
ring0_inb_loop:                         # (port, count)
    movl %edi, %edx
1:  inb %dx, %al
    decq %rsi
    jnz 1b
    ret
    .globl ring0_read_loop
ring0_read_loop:                        # (address, count)
1:  movl (%rdi), %eax
    decq %rsi
    jnz 1b
    ret
    .globl ring0_spin_loop
ring0_spin_loop:                        # (unused, count)
1:  decq %rsi
    jnz 1b
    ret

    .section .rodata.services, "a"
    .balign 8
service_table:                          # the order of ring0.rs's constants
    .quad svc_wait, svc_cli, svc_sti, svc_rdmsr, svc_wrmsr, svc_cr0, svc_cr2, svc_cr3, svc_cr4, svc_cr8
    .quad svc_set_cr4, svc_cpuid, svc_invlpg, svc_triple, svc_halt, svc_call, svc_popcnt, svc_jump
null_idt:
    .word 0
    .quad 0

    .bss
    .balign 64
    .globl events, nmi_count, last_vector, ioapic_base, vector_counts, level_registers
events: .skip 8
nmi_count: .skip 8
ioapic_base: .skip 8
last_vector: .skip 8
vector_counts: .skip 256 * 8
level_registers: .skip 256              # by vector: IOAPIC register that masks it when it fires, 0 = edge
