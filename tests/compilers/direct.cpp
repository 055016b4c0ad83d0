// Compiles HLSL with Microsoft's compilers, as wgpu does: FXC to cs_5_1, DXC to cs_6_0. A program for Windows, for `tests/compilers.sh`.
//
//   direct.exe fxc FILE…     with the d3dcompiler_47.dll beside it
//   direct.exe dxc FILE…     with the dxcompiler.dll beside it
//
// Prints a line for each file: its name, `ok` or `refused`, the milliseconds of processor time that it took, the bytes of what came out,
// and what a refusing compiler said. An argument @LIST names a file that lists files, one a line.

#include <windows.h>
#include <d3dcompiler.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

// What dxcapi.h declares, as far as it is used here; mingw does not have it. The order of methods is the interface.
struct DxcBuffer {
    const void *ptr;
    SIZE_T size;
    UINT encoding;
};

struct IDxcOperationResult : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetStatus(HRESULT *status) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetResult(ID3DBlob **result) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetErrorBuffer(ID3DBlob **errors) = 0;
};

struct IDxcCompiler3 : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Compile(const DxcBuffer *source, LPCWSTR *arguments, UINT32 count, void *includes, REFIID wanted,
                                              void **result) = 0;
};

const GUID CLASS_COMPILER = {0x73e22d93, 0xe6ce, 0x47f3, {0xb5, 0xbf, 0xf0, 0x66, 0x4f, 0x39, 0xc1, 0xb0}};
const GUID COMPILER3 = {0x228b4687, 0x5a6a, 0x4730, {0x90, 0x0c, 0x97, 0x02, 0xb2, 0x20, 0x3f, 0x54}};
const GUID OPERATION_RESULT = {0xcedb484a, 0xd4e9, 0x445a, {0xb9, 0x91, 0xca, 0x21, 0xca, 0x15, 0x7d, 0xc2}};
const UINT UTF_8 = 65001;

struct Compiled {
    bool ok;
    size_t bytes;
    std::string said;
};

std::string text_of(ID3DBlob *blob) {
    if (!blob) return {};
    std::string text(static_cast<const char *>(blob->GetBufferPointer()), blob->GetBufferSize());
    for (char &c : text) {
        if (c == '\n' || c == '\r' || c == '\0') c = ' ';
    }
    return text;
}

using Compile = Compiled (*)(const std::string &source);

pD3DCompile d3d_compile;

Compiled fxc(const std::string &source) {
    ID3DBlob *code = nullptr, *errors = nullptr;
    const HRESULT result = d3d_compile(source.data(), source.size(), nullptr, nullptr, nullptr, "main", "cs_5_1",
                                       D3DCOMPILE_ENABLE_STRICTNESS, 0, &code, &errors);
    Compiled compiled = {SUCCEEDED(result) && code, code ? code->GetBufferSize() : 0, text_of(errors)};
    if (code) code->Release();
    if (errors) errors->Release();
    return compiled;
}

IDxcCompiler3 *compiler;

Compiled dxc(const std::string &source) {
    LPCWSTR words[] = {L"-E", L"main", L"-T", L"cs_6_0", L"-HV", L"2018", L"-no-warnings", L"-Ges"};
    const DxcBuffer buffer = {source.data(), source.size(), UTF_8};
    IDxcOperationResult *result = nullptr;
    HRESULT status = compiler->Compile(&buffer, words, std::size(words), nullptr, OPERATION_RESULT, reinterpret_cast<void **>(&result));
    if (FAILED(status) || !result) return {false, 0, "the compiler did not answer"};
    ID3DBlob *code = nullptr, *errors = nullptr;
    result->GetStatus(&status);
    if (SUCCEEDED(status)) result->GetResult(&code);
    result->GetErrorBuffer(&errors);
    Compiled compiled = {code && code->GetBufferSize() > 0, code ? code->GetBufferSize() : 0, text_of(errors)};
    if (code) code->Release();
    if (errors) errors->Release();
    result->Release();
    return compiled;
}

Compile load(const std::string &which) {
    if (which == "fxc") {
        const HMODULE library = LoadLibraryA("d3dcompiler_47.dll");
        d3d_compile = library ? reinterpret_cast<pD3DCompile>(reinterpret_cast<void *>(GetProcAddress(library, "D3DCompile"))) : nullptr;
        return d3d_compile ? fxc : nullptr;
    }
    if (which == "dxc") {
        const HMODULE library = LoadLibraryA("dxcompiler.dll");
        using Create = HRESULT(STDMETHODCALLTYPE *)(REFCLSID, REFIID, void **);
        const auto create =
            library ? reinterpret_cast<Create>(reinterpret_cast<void *>(GetProcAddress(library, "DxcCreateInstance"))) : nullptr;
        if (!create || FAILED(create(CLASS_COMPILER, COMPILER3, reinterpret_cast<void **>(&compiler)))) return nullptr;
        return dxc;
    }
    return nullptr;
}

// Milliseconds of processor time of this process.
double processor_time() {
    FILETIME created, ended, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
    const auto ticks = [](FILETIME time) { return (static_cast<unsigned long long>(time.dwHighDateTime) << 32) | time.dwLowDateTime; };
    return static_cast<double>(ticks(kernel) + ticks(user)) / 1e4;
}

}  // namespace

int main(int count, char **words) {
    if (count < 3) {
        std::fputs("direct.exe fxc|dxc FILE… or @LIST\n", stderr);
        return 2;
    }
    const Compile compile = load(words[1]);
    if (!compile) {
        std::fprintf(stderr, "%s cannot be loaded\n", words[1]);
        return 2;
    }
    std::vector<std::string> files;
    for (int i = 2; i < count; i++) {
        if (words[i][0] != '@') {
            files.push_back(words[i]);
            continue;
        }
        std::ifstream list(words[i] + 1);
        for (std::string line; std::getline(list, line);) files.push_back(line);
    }
    for (const std::string &file : files) {
        std::ifstream in(file, std::ios::binary);
        const std::string source((std::istreambuf_iterator<char>(in)), {});
        if (!in || source.empty()) {
            std::fprintf(stderr, "%s cannot be read\n", file.c_str());
            return 2;
        }
        const double before = processor_time();
        const Compiled compiled = compile(source);
        std::printf("%s\t%s\t%.0f\t%zu\t%s\n", file.c_str(), compiled.ok ? "ok" : "refused", processor_time() - before, compiled.bytes,
                    compiled.ok ? "" : compiled.said.c_str());
        std::fflush(stdout);
    }
    return 0;
}
