#include "text/sentencepiece_file.hpp"

#include <bit>
#include <cstring>
#include <optional>
#include <unordered_set>

#include <moa/error.hpp>
#include "base/utf8.hpp"
#include "text/vocabulary.hpp"

namespace moa {
namespace {

static_assert(std::endian::native == std::endian::little, "floats of a protocol buffer are read in place");

constexpr std::size_t kMaxPieceBytes = 1024;

[[noreturn]] void corrupt(const std::string& where, const std::string& found) {
  throw Error(ErrorCode::corrupt_data, "cannot read " + where + " as a model of SentencePiece: " + found);
}

// A field of a message: its number, and its value as a number or as bytes.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;
  std::string_view bytes;
  bool is_bytes = false;
};

// The fields of one message, in order.
class Message {
 public:
  Message(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint64_t tag = varint();
    Field field;
    if (tag >> 3 == 0 || tag >> 32 != 0) corrupt(where_, "a field has no valid number");
    field.number = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        std::memcpy(&field.value, take(8).data(), 8);
        break;
      case 2:
        field.bytes = take(varint());
        field.is_bytes = true;
        break;
      case 5:
        std::memcpy(&field.value, take(4).data(), 4);
        break;
      default:
        corrupt(where_, "a field is of the unknown wire type " + std::to_string(tag & 7));
    }
    return field;
  }

 private:
  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) corrupt(where_, "it ends within a field");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    corrupt(where_, "a number does not end");
  }

  std::string_view rest_;
  const std::string& where_;
};

// message SentencePiece
SentencePiece parse_piece(std::string_view bytes, const std::string& where) {
  SentencePiece piece;
  Message message(bytes, where);
  while (const auto field = message.next()) {
    if (field->number == 1 && field->is_bytes) piece.text = field->bytes;
    if (field->number == 2) piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
    if (field->number == 3) {
      if (field->value < 1 || field->value > 6) corrupt(where, "a piece is of no known type");
      piece.type = static_cast<SentencePiece::Type>(field->value);
    }
  }
  return piece;
}

// message TrainerSpec
void parse_trainer(SentencePieceFile& file, std::string_view bytes, const std::string& where) {
  Message message(bytes, where);
  while (const auto field = message.next()) {
    if (field->number == 3) {
      if (field->value != 1 && field->value != 2) {
        throw Error(ErrorCode::unsupported, "cannot read " + where + ": found model_type " +
                                                std::to_string(field->value) +
                                                ", expected 1 (unigram) or 2 (bpe)");
      }
      file.kind = static_cast<SentencePieceFile::Kind>(field->value);
    }
    if (field->number == 24) file.treats_whitespace_as_suffix = field->value != 0;
    if (field->number == 35) file.byte_fallback = field->value != 0;
  }
}

// message NormalizerSpec
void parse_normalizer(SentencePieceFile& file, std::string_view bytes, const std::string& where) {
  Message message(bytes, where);
  while (const auto field = message.next()) {
    if (field->number == 2 && field->is_bytes) file.charsmap = field->bytes;
    if (field->number == 3) file.adds_dummy_prefix = field->value != 0;
    if (field->number == 4) file.removes_extra_whitespace = field->value != 0;
    if (field->number == 5) file.escapes_whitespace = field->value != 0;
  }
}

void check_pieces(SentencePieceFile& file, const std::string& where) {
  std::unordered_set<std::string_view> seen;
  std::size_t unknowns = 0;
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    const SentencePiece& piece = file.pieces[id];
    const std::string place = "piece " + std::to_string(id);
    if (piece.text.empty() || !is_utf8(piece.text)) corrupt(where, place + " is empty or not UTF-8");
    if (piece.text.size() > kMaxPieceBytes) {
      throw Error(ErrorCode::limit_exceeded, "cannot read " + where + ": " + place + " has " +
                                                 std::to_string(piece.text.size()) +
                                                 " bytes, the limit is 1024");
    }
    if (!(piece.score > -1e30F && piece.score < 1e30F)) corrupt(where, place + " has no finite score");
    if (!seen.insert(piece.text).second)
      corrupt(where, place + ", '" + std::string(piece.text) + "', is there twice");
    if (piece.type != SentencePiece::Type::unknown) continue;
    file.unknown_id = static_cast<std::int32_t>(id);
    ++unknowns;
  }
  if (unknowns != 1) corrupt(where, "found " + std::to_string(unknowns) + " unknown pieces, expected one");
}

}  // namespace

SentencePieceFile SentencePieceFile::parse(std::string_view bytes, const std::string& where) {
  SentencePieceFile file;
  Message message(bytes, where);
  while (const auto field = message.next()) {
    if (!field->is_bytes) continue;
    if (field->number == 1) {
      if (file.pieces.size() > kMaxTokenId) {
        throw Error(ErrorCode::limit_exceeded,
                    "cannot read " + where + ": it has more pieces than there are ids");
      }
      file.pieces.push_back(parse_piece(field->bytes, where));
    }
    if (field->number == 2) parse_trainer(file, field->bytes, where);
    if (field->number == 3) parse_normalizer(file, field->bytes, where);
  }
  check_pieces(file, where);
  return file;
}

}  // namespace moa
