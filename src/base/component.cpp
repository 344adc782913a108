#include "base/component.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <vector>

// Sanitizers put their own malloc in front of everybody's, and refuse what would go past it.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MOA_IS_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOA_IS_SANITIZED
#endif

namespace moa {
namespace {

#if defined(RTLD_DEEPBIND) && !defined(MOA_IS_SANITIZED)
constexpr int kOwnSymbolsFirst = RTLD_DEEPBIND;
#else
constexpr int kOwnSymbolsFirst = 0;
#endif

std::vector<std::filesystem::path> places() {
  if (const char* chosen = std::getenv("MOA_COMPONENT_DIR"); chosen != nullptr && *chosen != '\0')
    return {chosen};
  const std::filesystem::path here = own_file().parent_path();
  return {
      here / "moa",                       // installed library: ${libdir}/libmoa.so, ${libdir}/moa/
      here / ".." / MOA_LIBDIR / "moa",   // installed command: ${bindir}/moa
      here,                               // everything in one directory, as in the Python package
      here / "components",                // build tree: the command
      here / ".." / "components",         // build tree: src/../
      here / ".." / ".." / "components",  // build tree: tests/<room>/<room>_test
  };
}

// The loader tells its reasons in words alone; these are glibc's, which are not translated for it.
bool is_want_of_memory(const std::string& reason) {
  return reason.find("failed to map segment") != std::string::npos ||
         reason.find("annot allocate memory") != std::string::npos;
}

}  // namespace

std::filesystem::path own_file() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code ignored;
  // A command that was found through PATH is known by its bare name only; the kernel knows better. Libraries
  // have a path.
  const std::filesystem::path known = info.dli_fname;
  std::filesystem::path file = known.has_parent_path()
                                   ? std::filesystem::canonical(known, ignored)
                                   : std::filesystem::read_symlink("/proc/self/exe", ignored);
  return file;
}

Component Component::open(const std::string& name, const ComponentOptions& options) {
  const int mode = RTLD_NOW | RTLD_LOCAL | (options.own_symbols_first ? kOwnSymbolsFirst : 0);
  const std::string file = "lib" + name + ".so";
  std::string tried;
  for (const std::filesystem::path& place : places()) {
    const std::filesystem::path path = (place / file).lexically_normal();
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
      if (void* handle = dlopen(path.c_str(), mode)) return Component(handle, path);
      const char* told = dlerror();
      const std::string reason = told == nullptr ? "no reason given" : told;
      throw Error(is_want_of_memory(reason) ? ErrorCode::limit_exceeded : ErrorCode::unsupported,
                  "cannot open the component " + path.string() + ": " + reason);
    }
    tried += (tried.empty() ? "" : ", ") + path.string();
  }
  throw Error(ErrorCode::unsupported, "cannot open the component " + file + ": there is none at " + tried);
}

void* Component::find(const char* symbol) const {
  void* found = dlsym(handle_, symbol);
  if (found == nullptr) {
    throw Error(ErrorCode::unsupported, "the component " + path_.string() + " has no function " + symbol +
                                            "; it belongs to another version of moa");
  }
  return found;
}

}  // namespace moa
