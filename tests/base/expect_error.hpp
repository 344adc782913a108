// Tests assert an error's code, never its wording.
#pragma once

#include <gtest/gtest.h>

#include <moa/error.hpp>

// Expects that `statement` throws moa::Error with ErrorCode::`expected`.
#define MOA_EXPECT_ERROR(statement, expected)                                                  \
  do {                                                                                         \
    bool moa_threw = false;                                                                    \
    try {                                                                                      \
      statement;                                                                               \
    } catch (const ::moa::Error& moa_error) {                                                  \
      moa_threw = true;                                                                        \
      EXPECT_EQ(name(moa_error.code()), name(::moa::ErrorCode::expected)) << moa_error.what(); \
    }                                                                                          \
    EXPECT_TRUE(moa_threw) << "expected an error: " #expected;                                 \
  } while (false)
