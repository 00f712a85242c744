# A 64 KiB firmware image that enters long mode, loads telling registers and halts: what
# `info registers` shows of it is the recording in registers-long.txt.
.code16
.globl _start
_start:
 cli
 lgdtl %cs:gdtd
 movl %cr0,%eax; orl $1,%eax; movl %eax,%cr0
 ljmpl $8,$pm+0xf0000
.code32
pm: movw $16,%ax; movw %ax,%ds; movw %ax,%es; movw %ax,%ss
 movw $0x20,%ax; movw %ax,%fs
 movw $0x28,%ax; movw %ax,%gs
 movl $0x1000,%edi; xorl %eax,%eax; movl $0x3000,%ecx; rep stosb
 movl $0x2003,0x1000; movl $0x3003,0x2000; movl $0x83,0x3000
 movl $0x40000083,0x3008; movl $0x80000083,0x3010;movl $0xc0000083,0x3018
 movl %cr4,%eax; orl $0x620,%eax; movl %eax,%cr4
 movl $0x1000,%eax; movl %eax,%cr3
 movl $0xc0000080,%ecx; rdmsr; orl $0x100,%eax; wrmsr
 movl %cr0,%eax; orl $0x80000000,%eax; movl %eax,%cr0
 ljmp $0x18,$lm+0xf0000
.code64
lm: movw $0x30,%ax; ltr %ax
 movw $0x58,%ax; lldt %ax
 fld1; fldpi
 movl $0x11223344,%eax; movd %eax,%xmm1; movq %rax,%mm3
 movl $1,%eax
 cmpl $2,%eax
 movabs $0x123456789abcdef0,%r15
1: hlt; jmp 1b
.align 8
gdt: .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9b000000ffff, 0x00009600000000ff, 0x0040f2000000ffff
 .quad 0x0000890070000067, 0, 0, 0,0, 0x0000820060000017,0
gdtd: .word 0x7f; .long gdt+0xf0000
.org 0xfff0
.code16
 ljmp $0xf000,$0
.org 0x10000
