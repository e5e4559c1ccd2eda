# The only code of a compiled container's file that the kernel maps. It unpacks the rest into anonymous memory and goes
# there: so nothing keeps the file, and /proc/self/exe can be turned to another one before an image has its say.
#
# supervisor.ts holds the contract and the names in capitals.

	.text
	.globl	_start
_start:
	mov	$IMAGE_ADDRESS, %r14d
	mov	$TEXT_ADDRESS, %edi
	mov	LOADER_TEXT_BYTES(%r14), %rsi
	call	map
	mov	$DATA_ADDRESS, %edi
	mov	LOADER_DATA_BYTES(%r14), %rsi
	call	map

	mov	LOADER_CODE(%r14), %rsi
	mov	LOADER_CODE_BYTES(%r14), %rcx
	mov	$TEXT_ADDRESS, %edi
	rep movsb

	mov	$TEXT_ADDRESS, %edi
	mov	LOADER_TEXT_BYTES(%r14), %rsi
	mov	$PROT_READ_EXECUTE, %edx
	mov	$SYS_mprotect, %eax
	syscall

	# A block of LZ4: a token, literals, the offset of a match. The high half of the token counts literals, the low one the
	# match; 15 is continued in the bytes that follow, up to the first below 255.
	mov	LOADER_PACKED(%r14), %rsi
	mov	LOADER_PACKED_END(%r14), %r8
	mov	$DATA_ADDRESS, %edi
unpack:	xor	%eax, %eax
	lodsb
	mov	%eax, %ebx
	shr	$4, %eax
	call	count
	rep movsb
	cmp	%r8, %rsi
	jae	done
	lodsw
	mov	%rdi, %rdx
	sub	%rax, %rdx
	mov	%ebx, %eax
	and	$15, %eax
	call	count
	add	$4, %ecx
	xchg	%rsi, %rdx
	rep movsb
	mov	%rdx, %rsi
	jmp	unpack

count:	mov	%eax, %ecx
	cmp	$15, %eax
	jne	counted
more:	lodsb
	add	%eax, %ecx
	cmp	$255, %eax
	je	more
counted:
	ret

map:	mov	$PROT_READ_WRITE, %edx
	mov	$MAP_PRIVATE_ANONYMOUS_FIXED, %r10d
	or	$-1, %r8
	xor	%r9d, %r9d
	mov	$SYS_mmap, %eax
	syscall
	ret

done:	mov	$TEXT_ADDRESS+HEAD_BYTES, %eax
	jmp	*%rax
