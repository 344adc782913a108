// The names of gloo that libtorch's header of its process group mentions. libtorch holds gloo's code, but its
// packages bring none of gloo's headers, and those of another gloo (libgloo-dev) are another version's. moa
// hands pointers to these on and never looks behind one, so that any libtorch's gloo fits. CMakeLists.txt
// puts this file in the place of gloo's own headers.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <c10/macros/Macros.h>

namespace gloo {

class C10_API Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

namespace transport {
class C10_API Device;
class C10_API UnboundBuffer;
}  // namespace transport

namespace rendezvous {
// What c10d overrides, in the order in which gloo declares it.
class C10_API Store {
 public:
  static constexpr std::chrono::milliseconds kDefaultTimeout = std::chrono::seconds(30);

  virtual ~Store();
  virtual void set(const std::string& key, const std::vector<char>& value) = 0;
  virtual std::vector<char> get(const std::string& key) = 0;
  virtual void wait(const std::vector<std::string>& keys) = 0;
  virtual void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout);
};
}  // namespace rendezvous

}  // namespace gloo
