// The only code of a compiled container's file that the kernel maps. It unpacks the rest into anonymous memory and goes
// there: so nothing keeps the file, and /proc/self/exe can be turned to another one before an image has its say.
//
// supervisor.ts holds the contract and the names in capitals.

	.text
	.globl	_start
_start:
	mov	x19, #IMAGE_ADDRESS
	mov	x0, #TEXT_ADDRESS
	ldr	x1, [x19, #LOADER_TEXT_BYTES]
	bl	map
	mov	x0, #DATA_ADDRESS
	ldr	x1, [x19, #LOADER_DATA_BYTES]
	bl	map

	ldr	x9, [x19, #LOADER_CODE]
	ldr	x10, [x19, #LOADER_CODE_BYTES]
	mov	x11, #TEXT_ADDRESS
	bl	copy

	// The kernel makes caches agree where memory becomes executable.
	mov	x0, #TEXT_ADDRESS
	ldr	x1, [x19, #LOADER_TEXT_BYTES]
	mov	x2, #PROT_READ_EXECUTE
	mov	x8, #SYS_mprotect
	svc	#0

	// A block of LZ4: a token, literals, the offset of a match. The high half of the token counts literals, the low one the
	// match; 15 is continued in the bytes that follow, up to the first below 255.
	ldr	x9, [x19, #LOADER_PACKED]
	ldr	x13, [x19, #LOADER_PACKED_END]
	mov	x11, #DATA_ADDRESS
unpack:	ldrb	w14, [x9], #1
	lsr	w10, w14, #4
	bl	count
	bl	copy
	cmp	x9, x13
	b.hs	done
	ldrh	w15, [x9], #2
	sub	x15, x11, x15
	and	w10, w14, #15
	bl	count
	add	w10, w10, #4
	mov	x16, x9
	mov	x9, x15
	bl	copy
	mov	x9, x16
	b	unpack

	// x10 of a length, by the bytes at x9 where it goes on.
count:	cmp	w10, #15
	b.ne	counted
more:	ldrb	w12, [x9], #1
	add	w10, w10, w12
	cmp	w12, #255
	b.eq	more
counted:
	ret

	// x10 bytes from x9 to x11, one after the other: a match may overlap itself.
copy:	cbz	x10, copied
	ldrb	w12, [x9], #1
	strb	w12, [x11], #1
	sub	x10, x10, #1
	b	copy
copied:	ret

map:	mov	x2, #PROT_READ_WRITE
	mov	x3, #MAP_PRIVATE_ANONYMOUS_FIXED
	mov	x4, #-1
	mov	x5, #0
	mov	x8, #SYS_mmap
	svc	#0
	ret

done:	mov	x9, #TEXT_ADDRESS
	add	x9, x9, #HEAD_BYTES
	br	x9
