#include "base/cancellation.hpp"

#include <moa/error.hpp>

namespace moa {

void stop_if_raised(CancelFlag cancelled) {
  if (is_raised(cancelled)) throw Error(ErrorCode::cancelled, "interrupted; nothing is written");
}

}  // namespace moa
