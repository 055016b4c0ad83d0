// Stands in for Microsoft's d3dcompiler_47.dll and keeps what it wrote, so that a text is compiled once and not in every run. For `tests/dx12.sh`;
// what it promises is tried by kept_control.cpp before it is relied on.
//
// Microsoft's own is beside it as fxc.dll. ELBO_FXC_KEPT names the folder of what is kept, which must be of that one compiler: one file for each
// text, which holds all that was asked for (source, entry point, target, flags) and the code. A file is only used if it is whole and all that was asked
// for is the same, byte for byte. What is refused is not kept. Without the variable, every text goes to the compiler.
//
// The file `calls` of the folder gets a line for each call: `kept` or `compiled`.

#include <windows.h>
#include <d3dcompiler.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace {

pD3DCompile microsoft() {
    static const pD3DCompile compile = [] {
        const HMODULE library = LoadLibraryA("fxc.dll");
        return library ? reinterpret_cast<pD3DCompile>(reinterpret_cast<void *>(GetProcAddress(library, "D3DCompile"))) : nullptr;
    }();
    return compile;
}

// Code that was kept.
class Blob final : public ID3DBlob {
  public:
    explicit Blob(std::string bytes) : bytes(std::move(bytes)) {}
    virtual ~Blob() = default;

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID wanted, void **object) override {
        if (wanted != __uuidof(ID3DBlob) && wanted != __uuidof(IUnknown)) return *object = nullptr, E_NOINTERFACE;
        AddRef();
        return *object = this, S_OK;
    }
    ULONG STDMETHODCALLTYPE AddRef() override { return ++references; }
    ULONG STDMETHODCALLTYPE Release() override {
        const ULONG left = --references;
        if (left == 0) delete this;
        return left;
    }
    LPVOID STDMETHODCALLTYPE GetBufferPointer() override { return bytes.data(); }
    SIZE_T STDMETHODCALLTYPE GetBufferSize() override { return bytes.size(); }

  private:
    std::string bytes;
    std::atomic<ULONG> references{1};
};

// FNV-1a.
uint64_t hash(const std::string &bytes) {
    uint64_t sum = 0xcbf29ce484222325;
    for (const unsigned char byte : bytes) sum = (sum ^ byte) * 0x100000001b3;
    return sum;
}

std::string number(uint64_t value) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
    return digits;
}

// What a file begins with: all that was asked for, behind its length. The code follows, and the sum of all.
std::string asked_for(const std::string &source, const char *entry, const char *target, UINT flags) {
    const std::string all = std::string(entry) + '\n' + target + '\n' + number(flags) + '\n' + source;
    return number(all.size()) + '\n' + all;
}

std::string folder() {
    char name[MAX_PATH] = {};
    const DWORD length = GetEnvironmentVariableA("ELBO_FXC_KEPT", name, sizeof name);
    return length < sizeof name ? name : "";
}

// The code of a file, or nothing where it is missing, damaged, or of something else.
std::string kept(const std::string &path, const std::string &asked) {
    std::ifstream file(path, std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(file)), {});
    if (all.size() < asked.size() + 16 || all.compare(0, asked.size(), asked) != 0) return {};
    const std::string sum = all.substr(all.size() - 16);
    all.resize(all.size() - 16);
    return sum == number(hash(all)) ? all.substr(asked.size()) : std::string();
}

// A file under another name first, so that none is seen half written.
void keep(const std::string &path, const std::string &asked, const ID3DBlob *blob) {
    auto *code = const_cast<ID3DBlob *>(blob);
    const std::string all = asked + std::string(static_cast<const char *>(code->GetBufferPointer()), code->GetBufferSize());
    const std::string unfinished = path + "." + std::to_string(GetCurrentProcessId()) + "." + std::to_string(GetCurrentThreadId());
    bool written = false;
    {
        std::ofstream file(unfinished, std::ios::binary);
        file << all << number(hash(all));
        file.flush();
        written = file.good();
    }
    if (!written || !MoveFileExA(unfinished.c_str(), path.c_str(), MOVEFILE_REPLACE_EXISTING)) DeleteFileA(unfinished.c_str());
}

// One write behind what is there: lines of several threads do not mix.
void tell(const std::string &folder, const char *line) {
    const HANDLE file = CreateFileA((folder + "\\calls").c_str(), FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_ALWAYS,
                                    FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) return;
    DWORD written;
    WriteFile(file, line, static_cast<DWORD>(std::strlen(line)), &written, nullptr);
    CloseHandle(file);
}

}  // namespace

extern "C" __declspec(dllexport) HRESULT WINAPI D3DCompile(LPCVOID data, SIZE_T size, LPCSTR name, const D3D_SHADER_MACRO *defines,
                                                           ID3DInclude *include, LPCSTR entry, LPCSTR target, UINT flags, UINT effect_flags,
                                                           ID3DBlob **code, ID3DBlob **errors) {
    const pD3DCompile compile = microsoft();
    if (!compile) return E_FAIL;
    const std::string folder = ::folder();
    // What a text could mean something else with.
    const bool plain = !name && !defines && !include && entry && effect_flags == 0;
    if (folder.empty() || !plain) return compile(data, size, name, defines, include, entry, target, flags, effect_flags, code, errors);
    const std::string asked = asked_for(std::string(static_cast<const char *>(data), size), entry, target, flags);
    const std::string path = folder + "\\" + number(hash(asked));
    std::string bytes = kept(path, asked);
    if (!bytes.empty()) {
        tell(folder, "kept\n");
        if (errors) *errors = nullptr;
        *code = new Blob(std::move(bytes));
        return S_OK;
    }
    tell(folder, "compiled\n");
    const HRESULT result = compile(data, size, name, defines, include, entry, target, flags, effect_flags, code, errors);
    if (SUCCEEDED(result) && *code) keep(path, asked, *code);
    return result;
}
