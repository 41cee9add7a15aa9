"""What is counted in a program for a card: of made texts of XLA's, whose counts are known."""

from types import SimpleNamespace

import pytest

from crmn_legacy.backend.cards.audit import audit

HLO = """HloModule jit_program, is_scheduled=true

%fused (p: f32[8,4]) -> f32[4,8] {
  ROOT %transpose.1 = f32[4,8]{1,0} transpose(%p), dimensions={1,0}
}

ENTRY %main {
  %copy.3 = f32[8,4]{1,0} copy(%a)
  %reverse.2 = f32[3,3]{1,0} reverse(%w), dimensions={0,1}
  %conv = (f32[8,4]{1,0}, u8[0]{0}) custom-call(%copy.3), custom_call_target="__cudnn$convForward"
  %gemm = (f32[8,4]{1,0}, s8[16]{0}) custom-call(%copy.3), custom_call_target="__cublas$gemm"
  %all-reduce-start = f32[10,20]{1,0} all-reduce-start(%x), replica_groups={{0,1}}
  %all-reduce-done = f32[10,20]{1,0} all-reduce-done(%all-reduce-start)
  %all-gather.1 = (bf16[4]{0}, pred[2]{0}) all-gather(%y), dimensions={0}
  %all-to-all.1 = (f32[2]{0}, f32[2]{0}, /*index=2*/f32[2]{0}) all-to-all(%a, %b, /*index=2*/%c), dimensions={0}
  ROOT %called = f64[2]{0} custom-call(%z), custom_call_target="xla_ffi_python_gpu_callback"
}
"""
PTX = ".version 8.8\n.target sm_90a\n.address_size 64\n.visible .entry one(\n)\n{}\n.visible .entry two(\n)\n{}\n"
THUNKS = "kCommandBuffer\t\n    kKernel\t, kernel = one\n    kCopy  \t\n    kConvolution\t\nkGemm\t\n"
SAID = """ptxas info    : Compiling entry function 'one' for 'sm_90a'
ptxas info    : Function properties for one
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 70 registers, used 1 barriers
ptxas info    : Compiling entry function 'two' for 'sm_90a'
ptxas info    : Function properties for two
    16 bytes stack frame, 16 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 128 registers, used 1 barriers
"""
ASSEMBLER = f"""#!/bin/sh
test "$2" = -arch=sm_90a || exit 1
printf code > "$5"
cat >&2 <<END
{SAID}END
"""


@pytest.fixture
def assembler(tmp_path):
    """An assembler that says what NVIDIA's does."""
    assembler = tmp_path / "ptxas"
    assembler.write_text(
        f'#!/bin/sh\ntest "$2" = -arch=sm_90a || exit 1\nprintf code > "$5"\ncat >&2 <<END\n{SAID}END\n'
    )
    assembler.chmod(0o755)
    return assembler


def audited(tmp_path, assembler, text=PTX, hlo=HLO):
    ptx = tmp_path / "program.ptx"
    ptx.write_text(text)
    memory = SimpleNamespace(
        argument_size_in_bytes=4, output_size_in_bytes=3, alias_size_in_bytes=2, temp_size_in_bytes=1
    )
    return audit(hlo, ptx, THUNKS, memory, 1.5, assembler)


@pytest.fixture
def found(tmp_path, assembler):
    """The counts."""
    return audited(tmp_path, assembler)


def test_kernels_calls_registers_and_launches_are_counted(found):
    assert (found.own, found.launches, found.cudnn, found.cublas) == (2, 4, 1, 1)
    assert (found.registers, found.spilled, found.cubin) == (128, 1, b"code")
    assert (found.arguments, found.outputs, found.donated, found.temporaries) == (4, 3, 2, 1)


def test_what_moves_data_is_counted_within_kernels_too(found):
    assert (found.transposes, found.copies, found.reversals) == (1, 1, 1)


def test_what_cards_tell_one_another_is_counted_once(found):
    assert found.collectives == {"all-reduce": (1, 800), "all-gather": (1, 10), "all-to-all": (1, 24)}


def test_what_breaks_a_promise_is_counted(found):
    assert (found.float64, found.host_calls) == (1, 1)


def test_digests_leave_out_what_changes_from_process_to_process(tmp_path, assembler):
    swapped = PTX.replace("{}", "{\n add %r1, %r2;\n mul %r3, %r4;\n}", 1)
    other = PTX.replace("{}", "{\n mul %r7, %r2;\n add %r5, %r6;\n}", 1)
    unlike = PTX.replace("{}", "{\n sub %r7, %r2;\n add %r5, %r6;\n}", 1)
    hlo = HLO.replace("dimensions={1,0}", 'dimensions={1,0}, metadata={op_name="t" source_file="/somewhere.py"}')
    one, same, another = (
        audited(tmp_path, assembler, text, program)
        for text, program in ((swapped, HLO), (other, hlo), (unlike, HLO.replace("8,4", "8,5")))
    )
    assert one.ptx_digest == same.ptx_digest != another.ptx_digest
    assert one.program_digest == same.program_digest != another.program_digest


def test_json_has_no_code(found):
    described = found.as_json()
    assert "cubin" not in described and described["collectives"]["all-reduce"] == [1, 800]
