# The first process of a compiled container: takes its arguments, runs the container's records in a child, passes signals
# on, and ends with its status. supervisor.ts holds the contract and the names in capitals.
#
# Only here are loops and strings. The records of the container are run by the stub below, as those of every container.
#
# Registers: rbp the status page and rbx the record, as the stub has them; r14 the head; r13 the environment, later the
# slot of the container's pid; r12 counts, later the pid that is waited for.

	.text
	.globl	_start
_start:
	mov	$HEAD_ADDRESS, %r14d
	mov	$STATUS_ADDRESS, %ebp
	cld

	# The status page is shared: a child that has failed says so there.
	mov	%ebp, %edi
	mov	$STATUS_BYTES, %esi
	mov	$PROT_READ_WRITE, %edx
	mov	$MAP_SHARED_ANONYMOUS_FIXED, %r10d
	or	$-1, %r8
	xor	%r9d, %r9d
	mov	$SYS_mmap, %eax
	syscall

	# The kernel leaves argc, argv, NULL, the environment, NULL on the stack.
	mov	(%rsp), %rcx
	lea	16(%rsp,%rcx,8), %r13

	# Arguments of ours come behind those of the config that are kept; a first "--" is not among them. The array grows
	# down from our own, over the name of the executable.
	mov	HEAD_ARGS(%r14), %rax
	cmp	$1, %ecx
	jbe	arguments
	lea	16(%rsp), %rdi
	mov	(%rdi), %rdx
	cmpw	$0x2d2d, (%rdx)
	jne	extend
	cmpb	$0, 2(%rdx)
	jne	extend
	add	$8, %rdi
extend:	mov	HEAD_KEPT(%r14), %ecx
	mov	%rax, %rsi
	lea	(,%rcx,8), %rax
	sub	%rax, %rdi
	mov	%rdi, %rax
	mov	%rdi, %rsp
	rep movsq
arguments:
	mov	HEAD_ARGV(%r14), %rdx
	mov	%rax, (%rdx)

	# Entries of our environment that are let through, behind those of the config.
	mov	HEAD_PASS(%r14), %r8
	mov	HEAD_ENVIRONMENT(%r14), %r9
name:	mov	(%r8), %rsi
	add	$8, %r8
	test	%rsi, %rsi
	jz	named
	mov	%r13, %r10
entry:	mov	(%r10), %rdi
	add	$8, %r10
	test	%rdi, %rdi
	jz	name
	mov	%rsi, %rdx
same:	mov	(%rdx), %al
	test	%al, %al
	jz	found
	cmp	(%rdi), %al
	jne	entry
	inc	%rdx
	inc	%rdi
	jmp	same
found:	mov	-8(%r10), %rax
	mov	%rax, (%r9)
	add	$8, %r9
	jmp	name
named:	mov	HEAD_ENV(%r14), %rax
	mov	HEAD_ENVP(%r14), %rdx
	mov	%rax, (%rdx)

	# The cgroup is named for our pid, in hexadecimal, so that several of us can run at once.
	mov	$SYS_getpid, %eax
	syscall
	mov	HEAD_NAMES(%r14), %rsi
number:	mov	(%rsi), %rdi
	add	$8, %rsi
	test	%rdi, %rdi
	jz	numbered
	mov	$8, %ecx
digit:	rol	$4, %eax
	mov	%eax, %edx
	and	$15, %edx
	add	$'0', %edx
	cmp	$'9', %edx
	jbe	decimal
	add	$('a' - '9' - 1), %edx
decimal:
	mov	%dl, (%rdi)
	inc	%rdi
	dec	%ecx
	jnz	digit
	jmp	number
numbered:

	# Which of the standard streams are the host's /dev/null, the device 1:3.
	sub	$STAT_BYTES, %rsp
	and	$-16, %rsp
	xor	%r12d, %r12d
stream:	mov	%r12d, %edi
	mov	%rsp, %rsi
	mov	$SYS_fstat, %eax
	syscall
	or	$-1, %rcx
	test	%eax, %eax
	jnz	other
	cmpq	$NULL_DEVICE, STAT_RDEV(%rsp)
	jne	other
	mov	%r12, %rcx
other:	mov	HEAD_NULLS(%r14,%r12,8), %rdx
	mov	%rcx, (%rdx)
	inc	%r12d
	cmp	$3, %r12d
	jb	stream

	# The container begins with all signals as they are by default, whatever our caller ignores. SIGCHLD is ours.
	mov	$64, %r12d
signal:	mov	%r12d, %edi
	lea	HEAD_ZEROS(%r14), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$SYS_rt_sigaction, %eax
	syscall
	dec	%r12d
	jnz	signal

	# They wait until there is somebody to pass them on to; the last records unblock them.
	mov	$SIG_SETMASK, %edi
	lea	HEAD_ALL(%r14), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$SYS_rt_sigprocmask, %eax
	syscall

	mov	$SIGCHLD, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	mov	$SYS_clone, %eax
	syscall
	mov	HEAD_RECORDS(%r14), %rbx
	test	%eax, %eax
	jz	next
	js	failed
	mov	%eax, %r12d

	# Where the first process forks the container's, it ends at once.
	mov	HEAD_FORKED(%r14), %r13
	test	%r13, %r13
	jz	loop
	xor	%edx, %edx
	call	wait
	cmpl	$0, (%rsp)
	jne	ended
	mov	(%r13), %r12d

loop:	lea	HEAD_SIGNALS(%r14), %rdi
	xor	%esi, %esi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$SYS_rt_sigtimedwait, %eax
	syscall
	cmp	$SIGCHLD, %eax
	je	check
	# Nobody has reaped it: the pid is its own still.
	mov	%r12d, %edi
	mov	%eax, %esi
	mov	$SYS_kill, %eax
	test	%esi, %esi
	js	loop
	syscall
	jmp	loop
check:	mov	$WNOHANG, %edx
	call	wait
	test	%eax, %eax
	jz	loop

	# As a shell has it: the exit status, or 128 and the signal.
ended:	mov	(%rsp), %eax
	mov	STATUS_FAILED(%rbp), %rbx
	test	%rbx, %rbx
	jnz	report
	movzbl	%ah, %edi
	and	$0x7f, %eax
	jz	clean
	lea	128(%rax), %edi

	# The records behind the container's remove its cgroup, and exit with this status.
clean:	mov	HEAD_STATUS(%r14), %rdx
	mov	%rdi, (%rdx)
	movq	$0, STATUS_FAILED(%rbp)
	mov	HEAD_CLEANUP(%r14), %rbx
	jmp	next

	# writev(2) of the record's text and the errno's.
report:	mov	STATUS_ERRNO(%rbp), %edx
	cmp	$MAX_ERRNO, %edx
	jbe	known
	mov	$MAX_ERRNO, %edx
known:	mov	HEAD_TEXTS(%r14), %rdi
	jmp	text
skip:	call	length
text:	dec	%edx
	jns	skip
	mov	%rdi, 16(%rsp)
	call	length
	mov	%rcx, 24(%rsp)
	mov	RECORD_TEXT(%rbx), %edi
	mov	%rdi, (%rsp)
	call	length
	mov	%rcx, 8(%rsp)
	mov	$2, %edi
	mov	%rsp, %rsi
	mov	$2, %edx
	mov	$SYS_writev, %eax
	syscall

	# As a shell has it: 127 if the program is not there, 126 if it cannot be run. 125 if it did not come to that.
failed:	mov	$125, %edi
	cmpl	$SYS_execve, RECORD_NR(%rbx)
	jne	clean
	mov	$126, %edi
	cmpl	$ENOENT, STATUS_ERRNO(%rbp)
	jne	clean
	inc	%edi
	jmp	clean

	# wait4(r12, rsp as the caller has it, edx)
wait:	mov	%r12d, %edi
	lea	8(%rsp), %rsi
	xor	%r10d, %r10d
	mov	$SYS_wait4, %eax
	syscall
	ret

	# Bytes of the string at rdi, in rcx. rdi goes behind its NUL.
length:	or	$-1, %rcx
	xor	%eax, %eax
	repne scasb
	not	%rcx
	dec	%rcx
	ret

	.include "stub_x86_64.S"
