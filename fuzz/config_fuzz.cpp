// Configurations, the index of shards and the model card: read from the same bytes, which are whatever they
// are.
#include <cstdint>
#include <string_view>

#include <moa/error.hpp>

#include "base/config.hpp"
#include "checkpoint/model_card.hpp"
#include "checkpoint/model_search.hpp"

namespace {

// Every accessor on every key, and down into every object.
void read_all(const moa::Config& config, int depth) {
  for (const std::string& key : config.keys()) {
    const auto attempt = [](const auto& read) {
      try {
        read();
      } catch (const moa::Error&) {
      }
    };
    attempt([&] { config.integer(key, 0); });
    attempt([&] { config.number(key, 0); });
    attempt([&] { config.boolean(key, false); });
    attempt([&] { config.string(key, ""); });
    attempt([&] { config.numbers(key, {}); });
    attempt([&] { config.strings(key, {}); });
    if (depth == 0) continue;
    attempt([&] { read_all(config.object(key), depth - 1); });
    attempt([&] {
      for (const moa::Config& inner : config.objects(key)) read_all(inner, depth - 1);
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  moa::licence_of_model_card(text);
  moa::HubId::parse(text);
  try {
    const moa::Config config = moa::Config::parse(text, "fuzz");
    read_all(config, 8);
    moa::Config::parse(config.dump(), "written");
    read_all(config.object("text_config").overridden_by(config), 2);
  } catch (const moa::Error&) {
  }
  return 0;
}
