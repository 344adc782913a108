#include "checkpoint/state_dict.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

using Id = PickleValue::Id;
using Kind = PickleValue::Kind;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNameBytes = 1024;
// Tensors, and objects on the way to them. One may be reached on several ways, so that a few can pretend to
// be very many.
constexpr std::size_t kMaxPlaces = 1u << 17;

void check_place(std::size_t places, std::string_view name, const std::string& where) {
  if (places <= kMaxPlaces && name.size() <= kMaxNameBytes) return;
  throw Error(ErrorCode::limit_exceeded,
              "cannot read " + where +
                  ": found more than 131,072 tensors and objects, or names longer than 1024 "
                  "bytes, at '" +
                  std::string(name.substr(0, 64)) + "'");
}

// The weights below an object of TorchScript, attribute by attribute.
class ModuleWalk {
 public:
  ModuleWalk(const Pickle& pickle, const std::string& where) : pickle_(pickle), where_(where) {}

  std::vector<NamedTensor> run() {
    std::vector<Place> open = {{pickle_.root, {}, 0}};
    while (!open.empty()) {
      const Place place = std::move(open.back());
      open.pop_back();
      if (place.depth > kMaxDepth) {
        throw Error(ErrorCode::limit_exceeded,
                    "cannot read " + where_ + ": its objects nest deeper than 64, at '" + place.name + "'");
      }
      const PickleValue& value = pickle_.at(place.id);
      if (value.kind == Kind::tensor) {
        found_.push_back({place.name, &pickle_.tensors[static_cast<std::size_t>(value.number)]});
      } else if (value.kind == Kind::record && !value.items.empty()) {
        open_attributes(pickle_.at(value.items[0]), place, open);
      }
    }
    return std::move(found_);
  }

 private:
  struct Place {
    Id id;
    std::string name;
    std::size_t depth;
  };

  // Settings beside the weights (a width, whether it trains) are passed over.
  void open_attributes(const PickleValue& attributes, const Place& place, std::vector<Place>& open) {
    if (attributes.kind != Kind::dict) return;
    for (std::size_t i = 0; i + 1 < attributes.items.size(); i += 2) {
      const PickleValue& key = pickle_.at(attributes.items[i]);
      const Id value = attributes.items[i + 1];
      const Kind kind = pickle_.at(value).kind;
      if (key.kind != Kind::text || (kind != Kind::tensor && kind != Kind::record)) continue;
      check_place(++places_, key.text, where_);
      std::string name = place.name.empty() ? "" : place.name + ".";
      name += key.text;
      check_place(places_, name, where_);
      open.push_back({value, std::move(name), place.depth + 1});
    }
  }

  const Pickle& pickle_;
  const std::string& where_;
  std::size_t places_ = 0;
  std::vector<NamedTensor> found_;
};

// The value of `key`; null if there is none.
const PickleValue* find(const Pickle& pickle, const PickleValue& dict, std::string_view key) {
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& name = pickle.at(dict.items[i]);
    if (name.kind == Kind::text && name.text == key) return &pickle.at(dict.items[i + 1]);
  }
  return nullptr;
}

std::vector<NamedTensor> tensors_of_dict(const Pickle& pickle, const PickleValue& dict,
                                         const std::string& where) {
  std::vector<NamedTensor> found;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& name = pickle.at(dict.items[i]);
    const PickleValue& value = pickle.at(dict.items[i + 1]);
    if (name.kind != Kind::text || value.kind != Kind::tensor) {
      throw Error(ErrorCode::unsupported,
                  "cannot read " + where + ": found " +
                      (name.kind == Kind::text ? "'" + std::string(name.text.substr(0, kMaxNameBytes)) + "'"
                                               : std::string("an entry without a name")) +
                      ", which is no tensor, expected a state dict: names and tensors");
    }
    check_place(found.size() + 1, name.text, where);
    found.push_back({std::string(name.text), &pickle.tensors[static_cast<std::size_t>(value.number)]});
  }
  return found;
}

}  // namespace

std::vector<NamedTensor> tensors_of(const Pickle& pickle, const std::string& where) {
  const PickleValue* root = &pickle.at(pickle.root);
  std::vector<NamedTensor> found;
  if (root->kind == Kind::record) {
    found = ModuleWalk(pickle, where).run();
  } else if (root->kind == Kind::dict) {
    const PickleValue* nested = find(pickle, *root, "state_dict");
    if (nested != nullptr && nested->kind == Kind::dict) root = nested;
    found = tensors_of_dict(pickle, *root, where);
  } else {
    throw Error(ErrorCode::unsupported,
                "cannot read " + where + ": found a value of another kind, expected a state dict");
  }
  constexpr std::string_view kWrapper = "module.";
  const bool is_wrapped =
      std::ranges::all_of(found, [&](const NamedTensor& each) { return each.name.starts_with(kWrapper); });
  for (NamedTensor& each : found) {
    if (is_wrapped) each.name.erase(0, kWrapper.size());
  }
  std::ranges::sort(found, {}, &NamedTensor::name);
  const auto twice = std::ranges::adjacent_find(found, {}, &NamedTensor::name);
  if (twice != found.end()) {
    throw Error(ErrorCode::corrupt_data,
                "cannot read " + where + ": tensor '" + twice->name + "' stands twice");
  }
  return found;
}

}  // namespace moa
