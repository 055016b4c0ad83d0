// Holds kept.cpp to what it promises; a program for Windows, with its d3dcompiler_47.dll and Microsoft's fxc.dll beside it.
//
//   kept_control.exe FOLDER     an empty folder
//
// Code that was kept is the compiler's, byte for byte; it is used for the same text, entry point, target and flags and for nothing else; what
// is refused is refused again; what is damaged, or lies under the name of another, is compiled anew.

#include <windows.h>
#include <d3dcompiler.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

struct Asked {
    const char *what, *source, *entry, *target;
    UINT flags;
};

const char *const TEXT = "RWByteAddressBuffer b : register(u0);\n"
                         "[numthreads(64, 1, 1)] void main(uint i : SV_GroupIndex) { b.Store(4 * i, 3 * b.Load(4 * i) + i / 3); }\n"
                         "[numthreads(64, 1, 1)] void other(uint i : SV_GroupIndex) { b.Store(4 * i, i); }\n";
const char *const ONE_DIGIT = "RWByteAddressBuffer b : register(u0);\n"
                              "[numthreads(64, 1, 1)] void main(uint i : SV_GroupIndex) { b.Store(4 * i, 5 * b.Load(4 * i) + i / 3); }\n"
                              "[numthreads(64, 1, 1)] void other(uint i : SV_GroupIndex) { b.Store(4 * i, i); }\n";
const char *const WRONG = "[numthreads(64, 1, 1)] void main() { missing(); }\n";

const std::vector<Asked> ASKED = {
    {"a text", TEXT, "main", "cs_5_1", D3DCOMPILE_ENABLE_STRICTNESS},
    {"another digit", ONE_DIGIT, "main", "cs_5_1", D3DCOMPILE_ENABLE_STRICTNESS},
    {"another entry point", TEXT, "other", "cs_5_1", D3DCOMPILE_ENABLE_STRICTNESS},
    {"another target", TEXT, "main", "cs_5_0", D3DCOMPILE_ENABLE_STRICTNESS},
    {"other flags", TEXT, "main", "cs_5_1", D3DCOMPILE_ENABLE_STRICTNESS | D3DCOMPILE_SKIP_OPTIMIZATION},
};

void expect(bool holds, const std::string &what) {
    if (holds) return;
    std::printf("kept_control: %s\n", what.c_str());
    std::exit(1);
}

pD3DCompile load(const char *name) {
    const HMODULE library = LoadLibraryA(name);
    expect(library, std::string(name) + " cannot be loaded");
    return reinterpret_cast<pD3DCompile>(reinterpret_cast<void *>(GetProcAddress(library, "D3DCompile")));
}

std::string take(ID3DBlob *blob) {
    if (!blob) return {};
    std::string bytes(static_cast<const char *>(blob->GetBufferPointer()), blob->GetBufferSize());
    expect(blob->Release() == 0, "a blob has another owner");
    return bytes;
}

// The code, or `refused: ` and why.
std::string compiled(pD3DCompile compile, const Asked &asked) {
    ID3DBlob *code = nullptr, *errors = nullptr;
    const HRESULT result = compile(asked.source, std::string(asked.source).size(), nullptr, nullptr, nullptr, asked.entry, asked.target,
                                   asked.flags, 0, &code, &errors);
    const std::string bytes = take(code), said = take(errors);
    expect(SUCCEEDED(result) == !bytes.empty(), std::string(asked.what) + ": a result without code, or code without one");
    return SUCCEEDED(result) ? bytes : "refused: " + said;
}

std::string read(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path &path, const std::string &bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

int main(int count, char **words) {
    expect(count == 2, "kept_control.exe FOLDER");
    const std::filesystem::path folder = words[1];
    const pD3DCompile microsoft = load("fxc.dll"), keeping = load("d3dcompiler_47.dll");

    std::vector<std::string> right;
    for (const Asked &asked : ASKED) {
        right.push_back(compiled(microsoft, asked));
        for (size_t i = 0; i + 1 < right.size(); i++) expect(right[i] != right.back(), std::string(asked.what) + " makes no difference");
    }
    const Asked wrong = {"a wrong text", WRONG, "main", "cs_5_1", D3DCOMPILE_ENABLE_STRICTNESS};
    const std::string refusal = compiled(microsoft, wrong);
    expect(refusal.rfind("refused: ", 0) == 0 && refusal.find("missing") != std::string::npos, "FXC takes a wrong text");

    // Asks for one, and looks at what was done for it.
    std::string calls;
    const auto ask = [&](const Asked &asked, const std::string &expected, const std::string &done) {
        expect(compiled(keeping, asked) == expected, std::string(asked.what) + " has other code than FXC's");
        calls += done;
        expect(read(folder / "calls") == calls, std::string(asked.what) + " was not " + (done.empty() ? "left alone" : done));
    };

    ask(ASKED[0], right[0], "");
    expect(std::filesystem::is_empty(folder), "something is kept where nobody said so");
    SetEnvironmentVariableA("ELBO_FXC_KEPT", words[1]);
    std::vector<std::filesystem::path> paths;
    for (size_t i = 0; i < ASKED.size(); i++) {
        ask(ASKED[i], right[i], "compiled\n");
        for (const auto &entry : std::filesystem::directory_iterator(folder)) {
            const std::filesystem::path &path = entry.path();
            if (path.filename() != "calls" && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
        }
        expect(paths.size() == i + 1, std::string(ASKED[i].what) + " has no file of its own");
    }
    for (size_t i = 0; i < ASKED.size(); i++) ask(ASKED[i], right[i], "kept\n");
    for (int again = 0; again < 2; again++) ask(wrong, refusal, "compiled\n");

    for (size_t i = 0; i < ASKED.size(); i++) {
        const std::string whole = read(paths[i]);
        std::vector<std::string> damaged = {"", whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1), whole + "x"};
        for (const size_t at : {size_t(0), size_t(20), whole.size() / 2, whole.size() - 40, whole.size() - 1}) {
            damaged.push_back(whole);
            damaged.back()[at] ^= 1;
        }
        for (size_t other = 0; other < ASKED.size(); other++) {
            if (other != i) damaged.push_back(read(paths[other]));
        }
        for (const std::string &bytes : damaged) {
            write(paths[i], bytes);
            ask(ASKED[i], right[i], "compiled\n");
            expect(read(paths[i]) == whole, "a damaged file stays");
        }
    }
    std::puts("kept_control: what is kept is FXC's, for the text that it was asked for");
    return 0;
}
