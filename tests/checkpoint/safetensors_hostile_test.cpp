// Files made to mislead: each must be refused, with bounded memory and without touching a byte outside.
#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_bytes.hpp"

namespace moa {
namespace {

using testing::safetensors_bytes;

std::vector<StoredTensor> parse(std::string_view file) {
  return parse_safetensors(as_bytes(file), "test");
}

// A header with one entry, and eight bytes of data.
std::vector<StoredTensor> parse_entry(const std::string& entry) {
  return parse(safetensors_bytes("{\"a\":" + entry + "}", "01234567"));
}

TEST(Safetensors, RejectsAFileTooShortForALength) {
  MOA_EXPECT_ERROR(parse(""), corrupt_data);
  MOA_EXPECT_ERROR(parse("1234567"), corrupt_data);
}

TEST(Safetensors, RejectsAHeaderLongerThanTheFile) {
  std::string file = safetensors_bytes("{}");
  file[0] = 3;
  MOA_EXPECT_ERROR(parse(file), corrupt_data);
  std::fill_n(file.begin(), 8, '\xFF');
  MOA_EXPECT_ERROR(parse(file), corrupt_data);
}

TEST(Safetensors, RejectsAnEnormousHeader) {
  MOA_EXPECT_ERROR(parse(safetensors_bytes("{" + std::string((16u << 20) + 1, ' ') + "}")), limit_exceeded);
}

TEST(Safetensors, RejectsAHeaderThatIsNoObject) {
  for (const char* header : {"", " {}", "[]", "{", "{}}", "{} x", "null", "{\"a\":}", "{\"\xFF\":1}"}) {
    MOA_EXPECT_ERROR(parse(safetensors_bytes(header)), corrupt_data);
  }
}

TEST(Safetensors, RejectsDeepNesting) {
  const std::string deep = "{\"a\":" + std::string(4'000'000, '[') + std::string(4'000'000, ']') + "}";
  MOA_EXPECT_ERROR(parse(safetensors_bytes(deep)), corrupt_data);
}

TEST(Safetensors, RejectsNamesThatStandTwice) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  MOA_EXPECT_ERROR(parse(safetensors_bytes(header, "01234567")), corrupt_data);
  MOA_EXPECT_ERROR(parse(safetensors_bytes(R"({"__metadata__":{},"__metadata__":{}})")), corrupt_data);
}

TEST(Safetensors, RejectsTheSameNameSpeltWithEscapes) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0061":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  MOA_EXPECT_ERROR(parse(safetensors_bytes(header, "01234567")), corrupt_data);
}

TEST(Safetensors, RejectsOffsetsPastEndOfFile) {
  MOA_EXPECT_ERROR(parse_entry(R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})"), corrupt_data);
  MOA_EXPECT_ERROR(parse_entry(R"({"dtype":"U8","shape":[8],"data_offsets":[1,9]})"), corrupt_data);
  MOA_EXPECT_ERROR(
      parse_entry(R"({"dtype":"U8","shape":[8],"data_offsets":[18446744073709551608,18446744073709551615]})"),
      corrupt_data);
}

TEST(Safetensors, RejectsOffsetsThatAreNoPairOfSizes) {
  for (const char* offsets : {"[8,0]", "[-8,0]", "[0]", "[0,4,8]", "[0,8.0]", "[\"0\",8]", "8", "null",
                              "[0,99999999999999999999]"}) {
    MOA_EXPECT_ERROR(parse_entry(std::string(R"({"dtype":"U8","shape":[8],"data_offsets":)") + offsets + "}"),
                     corrupt_data);
  }
}

TEST(Safetensors, RejectsOverlappingTensors) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  MOA_EXPECT_ERROR(parse(safetensors_bytes(header, "01234567")), corrupt_data);
}

TEST(Safetensors, RejectsBytesThatBelongToNoTensor) {
  MOA_EXPECT_ERROR(parse_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})"), corrupt_data);
  MOA_EXPECT_ERROR(parse_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[4,8]})"), corrupt_data);
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  MOA_EXPECT_ERROR(parse(safetensors_bytes(header, "01234567")), corrupt_data);
}

TEST(Safetensors, RejectsAShapeThatDoesNotFillItsBytes) {
  for (const char* shape : {"[3]", "[1]", "[]", "[2,2]", "[0]"}) {
    MOA_EXPECT_ERROR(
        parse_entry(std::string(R"({"dtype":"F32","shape":)") + shape + R"(,"data_offsets":[0,8]})"),
        corrupt_data);
  }
}

TEST(Safetensors, RejectsShapesThatOverflow) {
  for (const char* shape : {
           "[4294967296,4294967296]",             // 2^64 elements: 0 if it wrapped
           "[9223372036854775807,2]",             //
           "[4611686018427387904,4]",             // 2^64
           "[2305843009213693954]",               // times 4 bytes: 8 if it wrapped
           "[4294967296,4294967296,0]",           //
           "[18446744073709551615]",              //
           "[-1]",                                //
           "[2.0]",                               //
           "[[2]]",                               //
           "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]"  // more axes than anything has
       }) {
    MOA_EXPECT_ERROR(
        parse_entry(std::string(R"({"dtype":"F32","shape":)") + shape + R"(,"data_offsets":[0,8]})"),
        corrupt_data);
  }
}

TEST(Safetensors, RejectsEntriesWithFieldsMissingRepeatedOrUnknown) {
  for (const char* entry : {R"({})", R"([])", R"("F32")", R"({"dtype":"U8","shape":[8]})",
                            R"({"dtype":"U8","data_offsets":[0,8]})", R"({"shape":[8],"data_offsets":[0,8]})",
                            R"({"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]})",
                            R"({"dtype":"U8","shape":[8],"shape":[8],"data_offsets":[0,8]})",
                            R"({"dtype":"U8","shape":[8],"data_offsets":[0,8],"data_offsets":[0,8]})",
                            R"({"dtype":"U8","shape":[8],"data_offsets":[0,8],"more":1})"}) {
    MOA_EXPECT_ERROR(parse_entry(entry), corrupt_data);
  }
}

TEST(Safetensors, RejectsTypesItDoesNotKnow) {
  for (const char* dtype : {"\"F31\"", "\"f32\"", "\"\"", "1", "null"}) {
    MOA_EXPECT_ERROR(parse_entry(std::string(R"({"shape":[2],"data_offsets":[0,8],"dtype":)") + dtype + "}"),
                     corrupt_data);
  }
}

TEST(Safetensors, RejectsPackedTypesThatEndInsideAByte) {
  MOA_EXPECT_ERROR(parse_entry(R"({"dtype":"F4","shape":[15],"data_offsets":[0,8]})"), corrupt_data);
}

TEST(Safetensors, RejectsMetadataThatIsNotTexts) {
  MOA_EXPECT_ERROR(parse(safetensors_bytes(R"({"__metadata__":1})")), corrupt_data);
  MOA_EXPECT_ERROR(parse(safetensors_bytes(R"({"__metadata__":{"a":1}})")), corrupt_data);
}

}  // namespace
}  // namespace moa
