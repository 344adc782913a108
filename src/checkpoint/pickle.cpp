// The instructions are those of protocol 2 (Python's pickletools.py describes each); the machine has a stack,
// a stack of marks and a memo. Nothing in it recurses.
#include "checkpoint/pickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/pickle_globals.hpp"

namespace moa {
namespace {

static_assert(std::endian::native == std::endian::little, "the numbers of a pickle are read in place");

using Id = PickleValue::Id;
using Kind = PickleValue::Kind;

// About 100,000 tensors; a tensor is some 20 values in 150 bytes.
constexpr std::size_t kMaxBytes = 16u << 20;
constexpr std::size_t kMaxValues = 2u << 20;
constexpr std::size_t kMaxTensors = 1u << 17;
constexpr std::uint8_t kLatestProtocol = 2;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  Pickle run() {
    if (bytes_.size() > kMaxBytes) {
      throw Error(ErrorCode::limit_exceeded, "cannot read " + where_ + ": found " +
                                                 std::to_string(bytes_.size()) +
                                                 " bytes, expected at most 16 MiB");
    }
    while (step()) {
      if (pickle_.values.size() > kMaxValues || pickle_.tensors.size() > kMaxTensors) {
        throw Error(ErrorCode::limit_exceeded,
                    "cannot read " + where_ + ": found more values than 100,000 tensors need");
      }
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  // One instruction. False for the last one.
  bool step() {
    const std::size_t at = at_;
    const auto code = number<std::uint8_t>();
    switch (code) {
      case '.':  // STOP
        return false;
      case 0x80:  // PROTO
        check_protocol(number<std::uint8_t>());
        break;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        break;
      case 'N':  // NONE
        push({});
        break;
      case 0x88:  // NEWTRUE
        push({Kind::boolean, 1, {}, {}});
        break;
      case 0x89:  // NEWFALSE
        push({Kind::boolean, 0, {}, {}});
        break;
      case 'K':  // BININT1
        push({Kind::integer, number<std::uint8_t>(), {}, {}});
        break;
      case 'M':  // BININT2
        push({Kind::integer, number<std::uint16_t>(), {}, {}});
        break;
      case 'J':  // BININT
        push({Kind::integer, number<std::int32_t>(), {}, {}});
        break;
      case 0x8A:  // LONG1
        push({Kind::integer, long_integer(), {}, {}});
        break;
      case 'G':  // BINFLOAT; what it is does not matter to any tensor
        take(8);
        push({Kind::real, 0, {}, {}});
        break;
      case 'X':  // BINUNICODE
        push({Kind::text, 0, as_text(take(number<std::uint32_t>())), {}});
        break;
      case 'U':  // SHORT_BINSTRING
        push({Kind::text, 0, as_text(take(number<std::uint8_t>())), {}});
        break;
      case ']':  // EMPTY_LIST
        push({Kind::list, 0, {}, {}});
        break;
      case '}':  // EMPTY_DICT
        push({Kind::dict, 0, {}, {}});
        break;
      case ')':  // EMPTY_TUPLE
        push({Kind::tuple, 0, {}, {}});
        break;
      case 't':  // TUPLE
        push({Kind::tuple, 0, {}, pop_to_mark()});
        break;
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        push({Kind::tuple, 0, {}, pop_last(code - 0x84u)});
        break;
      case 'a':  // APPEND
        extend(Kind::list, pop_last(1));
        break;
      case 'e':  // APPENDS
        extend(Kind::list, pop_to_mark());
        break;
      case 's':  // SETITEM
        extend(Kind::dict, pop_last(2));
        break;
      case 'u':  // SETITEMS
        extend(Kind::dict, pop_to_mark());
        break;
      case 'q':  // BINPUT
        memo_[number<std::uint8_t>()] = top();
        break;
      case 'r':  // LONG_BINPUT
        memo_[number<std::uint32_t>()] = top();
        break;
      case 'h':  // BINGET
        stack_.push_back(remembered(number<std::uint8_t>()));
        break;
      case 'j':  // LONG_BINGET
        stack_.push_back(remembered(number<std::uint32_t>()));
        break;
      case 'c': {  // GLOBAL
        const std::string_view module = line();
        push(import_global(module, line(), where_));
        break;
      }
      case 'Q':  // BINPERSID
        push(load_storage(pickle_, pickle_.at(pop()), where_));
        break;
      case 'R': {  // REDUCE
        const Id arguments = pop();
        const Id callable = pop();
        stack_.push_back(call_global(pickle_, callable, arguments, where_));
        break;
      }
      case 0x81:  // NEWOBJ
        make_record();
        break;
      case 'b':  // BUILD
        build();
        break;
      default:
        refuse_instruction(code, at);
    }
    return true;
  }

  [[noreturn]] void corrupt(const std::string& found) const {
    throw Error(ErrorCode::corrupt_data,
                "cannot read " + where_ + ": " + found + ", before byte " + std::to_string(at_));
  }
  [[noreturn]] void refuse_instruction(std::uint8_t code, std::size_t at) const {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    throw Error(ErrorCode::unsupported, "cannot read " + where_ + ": found pickle instruction 0x" +
                                            kDigits[code >> 4] + kDigits[code & 15] + " at byte " +
                                            std::to_string(at) +
                                            ", expected only those that torch.save writes for tensors");
  }
  void check_protocol(std::uint8_t protocol) const {
    if (protocol == kLatestProtocol) return;
    throw Error(ErrorCode::unsupported, "cannot read " + where_ + ": found pickle protocol " +
                                            std::to_string(protocol) + ", expected 2, torch.save's own");
  }

  std::span<const std::byte> take(std::size_t count) {
    if (count > bytes_.size() - at_) corrupt("it ends within an instruction");
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  // Little-endian, two's complement, as short as it can be.
  std::int64_t long_integer() {
    const auto bytes = take(number<std::uint8_t>());
    if (bytes.empty()) return 0;
    if (bytes.size() > sizeof(std::int64_t)) corrupt("it holds a number of more than 64 bits");
    std::int64_t value = std::to_integer<int>(bytes.back()) >= 0x80 ? -1 : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  std::string_view line() {
    const std::string_view rest = as_text(bytes_.subspan(at_));
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) corrupt("it ends within a name");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  void push(PickleValue value) {
    pickle_.values.push_back(std::move(value));
    stack_.push_back(static_cast<Id>(pickle_.values.size() - 1));
  }
  // What was pushed before the last mark is out of reach until the mark is gone.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Id top() const {
    if (stack_.size() <= floor()) corrupt("it takes from an empty stack");
    return stack_.back();
  }
  Id pop() {
    const Id id = top();
    stack_.pop_back();
    return id;
  }
  std::vector<Id> pop_last(std::size_t count) {
    if (stack_.size() - floor() < count) corrupt("it takes from an empty stack");
    std::vector<Id> ids(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return ids;
  }
  std::vector<Id> pop_to_mark() {
    if (marks_.empty()) corrupt("it takes to a mark that is not there");
    std::vector<Id> ids = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return ids;
  }
  Id remembered(std::uint32_t index) const {
    const auto found = memo_.find(index);
    if (found == memo_.end()) corrupt("it recalls " + std::to_string(index) + ", which it never stored");
    return found->second;
  }

  // Adds to the list or dict on top; to a dict, pairs.
  void extend(Kind kind, const std::vector<Id>& items) {
    PickleValue& target = pickle_.values[top()];
    if (target.kind != kind) corrupt("it adds items to what cannot hold them");
    if (kind == Kind::dict && items.size() % 2 != 0) corrupt("it adds a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void make_record() {
    const PickleValue& arguments = pickle_.at(pop());
    const PickleValue& type = pickle_.at(pop());
    if (type.kind != Kind::record_type || arguments.kind != Kind::tuple || !arguments.items.empty()) {
      corrupt("it makes an object of what is no class of TorchScript");
    }
    push({Kind::record, 0, {}, {}});
  }

  // Gives the object on top its attributes. Those of a dict (a state dict's `_metadata`) are left out.
  void build() {
    const Id state = pop();
    PickleValue& target = pickle_.values[top()];
    if (target.kind == Kind::dict) return;
    if (target.kind != Kind::record || !target.items.empty()) corrupt("it gives attributes to what has none");
    target.items.push_back(state);
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
  std::size_t at_ = 0;
  Pickle pickle_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint32_t, Id> memo_;
};

}  // namespace

Pickle run_pickle(std::span<const std::byte> bytes, const std::string& where) {
  return Machine(bytes, where).run();
}

}  // namespace moa
