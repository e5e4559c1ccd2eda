// The init of every container: runs the records of a plan, one system call each, and knows nothing else.
//
// record.ts holds the contract and the names in capitals (assemble.ts passes them with --defsym). Results, arguments
// and jumps are all in the records. Refuse features here: if it ever needs a loop over data, strings or arithmetic, move
// that work to the runtime, which does it at a barrier.
//
// There is no stack, no libc and no writable text. Code is position-independent, data is not.
// Registers: x19 the record that runs, x20 the status page. A system call keeps all but x0.

	.text
	.ifndef	INCLUDED
	.globl	_start
_start:
	mov	x19, #DATA_ADDRESS
	mov	x20, #STATUS_ADDRESS
	.endif

	// Named before it runs: a step may be the last thing we do (SIGSYS, SIGKILL, the OOM killer).
next:
	str	x19, [x20, #STATUS_RECORD]

	// Every argument is loaded through an address, so a saved result needs no instruction of its own.
	ldp	x0, x1, [x19, #RECORD_ARGS+0]
	ldp	x2, x3, [x19, #RECORD_ARGS+16]
	ldp	x4, x5, [x19, #RECORD_ARGS+32]
	ldr	x0, [x0]
	ldr	x1, [x1]
	ldr	x2, [x2]
	ldr	x3, [x3]
	ldr	x4, [x4]
	ldr	x5, [x5]
	ldr	w8, [x19, #RECORD_NR]
	svc	#0

	// Saved always: a record whose result nobody wants points to a slot that nobody reads.
	ldr	x9, [x19, #RECORD_SAVE]
	str	x0, [x9]

	// An errno is one of the 4095 highest values; an address that mmap(2) returns is below them.
	cmn	x0, #4095
	b.hs	error

	// Zero has a way of its own: it is the child's side of clone(2).
	ldr	w9, [x19, #RECORD_NEXT]
	ldr	w10, [x19, #RECORD_ZERO]
	cmp	x0, #0
	csel	w9, w10, w9, eq

	// Offsets are unsigned, so no plan can jump back; zero is its end.
advance:
	cbz	w9, end
	add	x19, x19, x9
	b	next

	// The list is filled up with zeros, which no errno is.
error:
	neg	w0, w0
	add	x9, x19, #RECORD_ERRNOS
	mov	w10, #MAX_ERRNOS
search:
	ldrh	w11, [x9], #2
	cmp	w11, w0
	b.eq	caught
	subs	w10, w10, #1
	b.ne	search

	.ifdef	SUPERVISED
	// What a process waits for may have failed already: the first failure is the reason of the others.
	ldr	x9, [x20, #STATUS_FAILED]
	cbnz	x9, refuse
	.endif
	// The errno first: a SIGKILL in between leaves no failure without its reason.
	str	x0, [x20, #STATUS_ERRNO]
	str	x19, [x20, #STATUS_FAILED]
refuse:
	mov	w0, #1
	b	exit

caught:
	ldr	w9, [x19, #RECORD_CAUGHT]
	b	advance

end:
	mov	w0, #0
exit:
	mov	w8, #SYS_exit_group
	svc	#0
	// A filter of the container's may refuse even this call. Die here, not in whatever follows.
	udf	#0
