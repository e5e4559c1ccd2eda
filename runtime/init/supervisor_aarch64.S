// The first process of a compiled container: takes its arguments, runs the container's records in a child, passes signals
// on, and ends with its status. supervisor.ts holds the contract and the names in capitals.
//
// Only here are loops and strings. The records of the container are run by the stub below, as those of every container.
//
// Registers: x20 the status page and x19 the record, as the stub has them; x21 the head; x22 the environment, later the
// slot of the container's pid; x23 counts, later the pid that is waited for; x24 a copy of the stack pointer at the start.

	.text
	.globl	_start
_start:
	mov	x21, #HEAD_ADDRESS
	mov	x20, #STATUS_ADDRESS
	mov	x24, sp

	// The status page is shared: a child that has failed says so there.
	mov	x0, x20
	mov	x1, #STATUS_BYTES
	mov	x2, #PROT_READ_WRITE
	mov	x3, #MAP_SHARED_ANONYMOUS_FIXED
	mov	x4, #-1
	mov	x5, #0
	mov	x8, #SYS_mmap
	svc	#0

	// The kernel leaves argc, argv, NULL, the environment, NULL on the stack.
	ldr	x9, [x24]
	add	x22, x24, x9, lsl #3
	add	x22, x22, #16

	// Arguments of ours come behind those of the config that are kept; a first "--" is not among them. The array grows
	// down from our own, over the name of the executable.
	ldr	x0, [x21, #HEAD_ARGS]
	cmp	x9, #1
	b.ls	arguments
	add	x10, x24, #16
	ldr	x11, [x10]
	ldrb	w12, [x11]
	cmp	w12, #'-'
	b.ne	extend
	ldrb	w12, [x11, #1]
	cmp	w12, #'-'
	b.ne	extend
	ldrb	w12, [x11, #2]
	cbnz	w12, extend
	add	x10, x10, #8
extend:	ldr	x11, [x21, #HEAD_KEPT]
	add	x0, x0, x11, lsl #3
keep:	ldr	x12, [x0, #-8]!
	str	x12, [x10, #-8]!
	subs	x11, x11, #1
	b.ne	keep
	mov	x0, x10
arguments:
	ldr	x9, [x21, #HEAD_ARGV]
	str	x0, [x9]
	// Room below the array, which may begin below the stack.
	cmp	x0, x24
	csel	x9, x0, x24, lo
	ldr	x10, [x21, #HEAD_ARGS]
	cmp	x0, x10
	csel	x9, x24, x9, eq
	sub	x9, x9, #STAT_BYTES
	and	x9, x9, #-16
	mov	sp, x9

	// Entries of our environment that are let through, behind those of the config.
	ldr	x9, [x21, #HEAD_PASS]
	ldr	x10, [x21, #HEAD_ENVIRONMENT]
name:	ldr	x11, [x9], #8
	cbz	x11, named
	mov	x12, x22
entry:	ldr	x13, [x12], #8
	cbz	x13, name
	mov	x14, x11
same:	ldrb	w15, [x14], #1
	cbz	w15, found
	ldrb	w16, [x13], #1
	cmp	w15, w16
	b.eq	same
	b	entry
found:	ldr	x13, [x12, #-8]
	str	x13, [x10], #8
	b	name
named:	ldr	x11, [x21, #HEAD_ENV]
	ldr	x12, [x21, #HEAD_ENVP]
	str	x11, [x12]

	// The cgroup is named for our pid, in hexadecimal, so that several of us can run at once.
	mov	x8, #SYS_getpid
	svc	#0
	ldr	x12, [x21, #HEAD_NAMES]
number:	ldr	x9, [x12], #8
	cbz	x9, numbered
	mov	w10, #8
digit:	ror	w0, w0, #28
	and	w11, w0, #15
	add	w11, w11, #'0'
	cmp	w11, #'9'
	b.ls	decimal
	add	w11, w11, #('a' - '9' - 1)
decimal:
	strb	w11, [x9], #1
	subs	w10, w10, #1
	b.ne	digit
	b	number
numbered:

	// Which of the standard streams are the host's /dev/null, the device 1:3.
	mov	x23, #0
stream:	mov	x0, x23
	mov	x1, sp
	mov	x8, #SYS_fstat
	svc	#0
	mov	x9, #-1
	cbnz	x0, other
	ldr	w10, [sp, #STAT_RDEV]
	cmp	w10, #NULL_DEVICE
	csel	x9, x23, x9, eq
other:	add	x10, x21, x23, lsl #3
	ldr	x10, [x10, #HEAD_NULLS]
	str	x9, [x10]
	add	x23, x23, #1
	cmp	x23, #3
	b.lo	stream

	// The container begins with all signals as they are by default, whatever our caller ignores. SIGCHLD is ours.
	mov	x23, #64
signal:	mov	x0, x23
	add	x1, x21, #HEAD_ZEROS
	mov	x2, #0
	mov	x3, #8
	mov	x8, #SYS_rt_sigaction
	svc	#0
	subs	x23, x23, #1
	b.ne	signal

	// They wait until there is somebody to pass them on to; the last records unblock them.
	mov	x0, #SIG_SETMASK
	add	x1, x21, #HEAD_ALL
	mov	x2, #0
	mov	x3, #8
	mov	x8, #SYS_rt_sigprocmask
	svc	#0

	mov	x0, #SIGCHLD
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	mov	x8, #SYS_clone
	svc	#0
	ldr	x19, [x21, #HEAD_RECORDS]
	cbz	x0, next
	tbnz	x0, #63, failed
	mov	x23, x0

	// Where the first process forks the container's, it ends at once.
	ldr	x22, [x21, #HEAD_FORKED]
	cbz	x22, loop
	mov	x2, #0
	bl	wait
	ldr	w9, [sp]
	cbnz	w9, ended
	ldr	w23, [x22]

loop:	add	x0, x21, #HEAD_SIGNALS
	mov	x1, #0
	mov	x2, #0
	mov	x3, #8
	mov	x8, #SYS_rt_sigtimedwait
	svc	#0
	cmp	x0, #SIGCHLD
	b.eq	check
	tbnz	x0, #63, loop
	// Nobody has reaped it: the pid is its own still.
	mov	x1, x0
	mov	x0, x23
	mov	x8, #SYS_kill
	svc	#0
	b	loop
check:	mov	x2, #WNOHANG
	bl	wait
	cbz	x0, loop

	// As a shell has it: the exit status, or 128 and the signal.
ended:	ldr	w9, [sp]
	ldr	x19, [x20, #STATUS_FAILED]
	cbnz	x19, report
	ubfx	w0, w9, #8, #8
	ands	w9, w9, #0x7f
	b.eq	clean
	add	w0, w9, #128

	// The records behind the container's remove its cgroup, and exit with this status.
clean:	ldr	x9, [x21, #HEAD_STATUS]
	str	x0, [x9]
	str	xzr, [x20, #STATUS_FAILED]
	ldr	x19, [x21, #HEAD_CLEANUP]
	b	next

	// writev(2) of the record's text and the errno's.
report:	ldr	x2, [x20, #STATUS_ERRNO]
	mov	x9, #MAX_ERRNO
	cmp	x2, x9
	csel	x2, x2, x9, ls
	ldr	x0, [x21, #HEAD_TEXTS]
	b	text
skip:	bl	length
text:	subs	x2, x2, #1
	b.pl	skip
	str	x0, [sp, #16]
	bl	length
	str	x1, [sp, #24]
	ldr	w0, [x19, #RECORD_TEXT]
	str	x0, [sp]
	bl	length
	str	x1, [sp, #8]
	mov	x0, #2
	mov	x1, sp
	mov	x2, #2
	mov	x8, #SYS_writev
	svc	#0

	// As a shell has it: 127 if the program is not there, 126 if it cannot be run. 125 if it did not come to that.
failed:	mov	x0, #125
	ldr	w9, [x19, #RECORD_NR]
	cmp	w9, #SYS_execve
	b.ne	clean
	mov	x0, #126
	ldr	w9, [x20, #STATUS_ERRNO]
	cmp	w9, #ENOENT
	cinc	x0, x0, eq
	b	clean

	// wait4(x23, sp, x2)
wait:	mov	x0, x23
	mov	x1, sp
	mov	x3, #0
	mov	x8, #SYS_wait4
	svc	#0
	ret

	// Bytes of the string at x0, in x1. x0 goes behind its NUL.
length:	mov	x1, x0
more:	ldrb	w9, [x0], #1
	cbnz	w9, more
	sub	x1, x0, x1
	sub	x1, x1, #1
	ret

	.include "stub_aarch64.S"
