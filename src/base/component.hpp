// Components: the parts of moa that are heavy to start (pictures link libvips and sixty libraries with it)
// live in shared libraries of their own, opened when they are first needed. A component speaks plain C:
// functions that return a code and throw nothing.
#pragma once

#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <utility>

#include <moa/error.hpp>

namespace moa {

// The file of the library or command that holds this code: what is installed beside it is found from there.
// Empty if the system does not tell.
std::filesystem::path own_file();

struct ComponentOptions {
  // The component's own functions come before those of the same name that the program has loaded already,
  // also for the libraries that come with it: this is how it may stand between two libraries. Sanitizers do
  // not allow it, so that under them the order is the usual one.
  bool own_symbols_first = false;
};

// An opened component. It stays open until the process ends: libraries such as glib cannot be unloaded.
// Copies are free; safe to use from any thread.
class Component {
 public:
  // Opens lib<name>.so from MOA_COMPONENT_DIR if that is set, otherwise from beside the library or command
  // that this code is linked into: an installed tree's lib/moa, or a build tree. Opening it again gives the
  // same component. Error: unsupported, naming the places and the reason, if it is not there or does not
  // load.
  static Component open(const std::string& name, const ComponentOptions& options = {});

  // The function exported as `symbol`, which must have this type. Error: unsupported if the component has
  // none.
  template <typename Function>
  Function* function(const char* symbol) const {
    return reinterpret_cast<Function*>(find(symbol));
  }

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Component(void* handle, std::filesystem::path path) : handle_(handle), path_(std::move(path)) {}
  void* find(const char* symbol) const;

  void* handle_;
  std::filesystem::path path_;
};

// How an exported function says what went wrong: 0 for nothing, otherwise 1 more than the ErrorCode, and the
// message. Inside the component: does `work`; `out_of_memory` is what to say if there is none.
template <typename Work>
int without_exceptions(std::string* message, const char* out_of_memory, Work work) {
  const auto failed = [&](ErrorCode code, const char* what) {
    *message = what;
    return static_cast<int>(code) + 1;
  };
  try {
    work();
    return 0;
  } catch (const Error& error) {
    return failed(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(ErrorCode::limit_exceeded, out_of_memory);
  } catch (const std::exception& error) {
    return failed(ErrorCode::internal, error.what());
  }
}

// Outside of it: throws what `code` and `message` say, unless that is nothing.
inline void throw_failure(int code, const std::string& message) {
  if (code != 0) throw Error(static_cast<ErrorCode>(code - 1), message);
}

}  // namespace moa
