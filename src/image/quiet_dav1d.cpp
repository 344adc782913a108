// Part of the component moa-avif: dav1d prints what it finds wrong with a file on stderr unless its settings
// say otherwise, and libavif leaves them as they are. The component is opened with its own symbols first, so
// that libavif's call arrives here; otherwise it would not where libvips has brought libheif, and with it
// dav1d, before.
#include <dav1d/dav1d.h>
#include <dlfcn.h>

#include <cerrno>

#include <moa/export.hpp>

extern "C" MOA_API int dav1d_open(Dav1dContext** context, const Dav1dSettings* settings) {
  static const auto open = reinterpret_cast<decltype(&dav1d_open)>(dlsym(RTLD_NEXT, "dav1d_open"));
  if (open == nullptr) return -ENOSYS;
  Dav1dSettings quiet = *settings;
  quiet.logger.callback = nullptr;
  return open(context, &quiet);
}
